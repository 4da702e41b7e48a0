"""Every task with its own settings, three seeds, one thread: held-out accuracy and seconds."""

import time

import torch

from explorer.lesson import TASKS, Trained
from explorer.scratch.training import Training

SEEDS = (0, 1, 2)
LEARNED = 0.98  # held-out accuracy whose first step is told


def main() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    Training(Trained())  # torch's own start is not the training's
    print("Training, one thread:")
    print("task | seed | steps | held-out accuracy | chance | seconds | 0.98 from step")
    for task, about in TASKS.items():
        for seed in SEEDS:
            start = time.perf_counter()
            training = Training(Trained(task, seed=seed))
            training.train(about.steps, lambda step: None)
            seconds = time.perf_counter() - start
            last = training.frames[-1]
            first = next((f.step for f in training.frames if f.accuracy >= LEARNED), None)
            print(
                f"{task} | {seed} | {last.step} | {last.accuracy:.4f} | {training.chance:.2f} | "
                f"{seconds:.1f} | {first}"
            )
    torch.set_num_threads(threads)


if __name__ == "__main__":
    main()
