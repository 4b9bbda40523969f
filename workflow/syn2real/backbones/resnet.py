"""The ResNets of torchvision (He et al., 2016)."""

NAMES = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
