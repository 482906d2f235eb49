"""Networks: plain nn.Modules with plain arguments, (N, C, H, W) in, logits (N, classes) out."""
