"""Which device a network runs on, by the words of a profile."""

from deployments.errors import ModelError


def choose_gpu(device: str, gpus: int) -> int | None:
    """Choose the index of the GPU that ``device`` (auto, cpu, gpu, gpu:1) means; None stands for the CPU.

    ``gpus`` is how many the engine sees. Raises `ModelError` for a GPU that is asked for by name and is
    missing: a stage that runs on a CPU unnoticed looks like a slow service.
    """
    if device == "cpu" or (device == "auto" and gpus == 0):
        return None
    kind, _, index = device.partition(":")
    if device != "auto" and (kind != "gpu" or not (index or "0").isdecimal()):
        raise ModelError(f"There is no device {device!r}; choose auto, cpu, gpu or gpu:N.")
    chosen = int(index or 0)
    if chosen >= gpus:
        raise ModelError(f"The device {device!r} was asked for, but the engine sees {gpus} GPUs.")
    return chosen
