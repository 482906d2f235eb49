"""The dataclass of each command and of each choice of each group in conf/."""

from csvision.config import (
    baseline_schema,
    command_schema,
    compare_schema,
    explain_schema,
    launcher_schema,
    lr_find_schema,
    model_schema,
    schema,
    search_schema,
)

GROUP_SCHEMAS: dict[str, dict[str, type]] = {
    "data": {"csv": schema.DataConfig},
    "augmentation": {"any": schema.AugmentationConfig},
    "model": {
        "mlp": model_schema.MLPConfig,
        "cnn": model_schema.CNNConfig,
        "custom": model_schema.CustomModelConfig,
    },
    "baseline": {
        "majority": baseline_schema.BaselineModelConfig,
        "centroid": baseline_schema.BaselineModelConfig,
        "knn": baseline_schema.KNNConfig,
        "logistic": baseline_schema.LogisticConfig,
        "svm_rbf": baseline_schema.SVMConfig,
        "random_forest": baseline_schema.RandomForestConfig,
        "hist_gradient_boosting": baseline_schema.HistGradientBoostingConfig,
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
        "plateau": schema.PlateauConfig,
    },
    "accelerator": {"any": schema.AcceleratorConfig},
    "logger": {"any": schema.LoggerConfig},
    "launcher": {
        "local": launcher_schema.LocalLauncherConfig,
        "serial": launcher_schema.LauncherConfig,
        "slurm": launcher_schema.SlurmLauncherConfig,
        "ray": launcher_schema.RayLauncherConfig,
    },
    "debug": {"any": schema.DebugConfig},
    "search": {
        "none": search_schema.SearchConfig,
        "optuna": search_schema.OptunaConfig,
    },
}
"""The schemas that the defaults lists in conf/ name as /csvision/GROUP/NAME."""

COMMAND_SCHEMAS: dict[str, type] = {
    "train": schema.TrainConfig,
    "lr_find": lr_find_schema.LRFindConfig,
    "baseline": baseline_schema.BaselineConfig,
    "resume": command_schema.ResumeConfig,
    "reproduce": command_schema.ReproduceConfig,
    "inspect_data": command_schema.InspectDataConfig,
    "explain": explain_schema.ExplainConfig,
    "convert": command_schema.ConvertConfig,
    "evaluate": command_schema.EvaluateConfig,
    "predict": command_schema.PredictConfig,
    "compare": compare_schema.CompareConfig,
    "inspect": command_schema.InspectConfig,
    "demo": command_schema.DemoConfig,
    "export": command_schema.ExportConfig,
    "cache": command_schema.CacheConfig,
    "example_data": command_schema.ExampleDataConfig,
    "prepare_fashion_mnist": command_schema.PrepareFashionMNISTConfig,
}
"""The schema of conf/COMMAND.yaml."""
