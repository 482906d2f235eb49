"""Compare the runs of sweeps: settings, differences between them, and pages about them."""
