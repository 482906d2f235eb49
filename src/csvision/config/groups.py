"""The dataclass of each command and of each choice of each group in conf/."""

from csvision.config import schema

GROUP_SCHEMAS: dict[str, dict[str, type]] = {
    "data": {"csv": schema.DataConfig},
    "augmentation": {"any": schema.AugmentationConfig},
    "model": {
        "mlp": schema.MLPConfig,
        "cnn": schema.CNNConfig,
        "custom": schema.CustomModelConfig,
    },
    "optimizer": {
        "sgd": schema.SGDConfig,
        "adam": schema.OptimizerConfig,
        "adamw": schema.OptimizerConfig,
    },
    "scheduler": {
        "none": schema.SchedulerConfig,
        "cosine": schema.CosineConfig,
        "onecycle": schema.OneCycleConfig,
        "step": schema.StepConfig,
    },
    "accelerator": {"any": schema.AcceleratorConfig},
    "logger": {"any": schema.LoggerConfig},
    "debug": {"any": schema.DebugConfig},
}
"""The schemas that the defaults lists in conf/ name as /csvision/GROUP/NAME."""

COMMAND_SCHEMAS: dict[str, type] = {
    "train": schema.TrainConfig,
    "resume": schema.ResumeConfig,
    "reproduce": schema.ReproduceConfig,
    "inspect_data": schema.InspectDataConfig,
    "evaluate": schema.EvaluateConfig,
    "predict": schema.PredictConfig,
    "cache": schema.CacheConfig,
    "example_data": schema.ExampleDataConfig,
    "prepare_fashion_mnist": schema.PrepareFashionMNISTConfig,
}
"""The schema of conf/COMMAND.yaml."""
