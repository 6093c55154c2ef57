"""The process in which one lesson runs; :mod:`facelab.lessons.runner` starts it with the path of a job file.

One process a lesson keeps its working folder, threads and environment its own, and lets the caller end all of it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from facelab.lessons.notebook import first_line

PATIENCE = 120  # seconds: on a busy machine a cell's output can arrive long after word that the cell has ended


class ThisPython(AsyncKernelManager):
    """Starts the kernel with the interpreter that runs the lesson, whatever other "python3" the machine offers."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """A specification of our own: no file is looked up."""
        command = [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def execute(job: dict) -> dict:
    """Run one lesson with papermill.

    Args:
        job: source, target (files), parameters, folder (the lesson's working folder).

    Returns:
        ``{"end": "done" | "error" | "dead", "reason": text}``; which cells really ran is the caller's to judge.
    """
    import papermill
    from nbclient.exceptions import DeadKernelError

    try:
        papermill.execute_notebook(
            job["source"],
            job["target"],
            parameters=job["parameters"],
            kernel_name="python3",
            language="python",
            cwd=job["folder"],
            progress_bar=False,
            kernel_manager_class=ThisPython,
            start_timeout=PATIENCE,
            iopub_timeout=PATIENCE,
            raise_on_iopub_timeout=True,
        )
    except DeadKernelError as error:
        return {"end": "dead", "reason": first_line(error)}
    except Exception as error:  # a cell that raised, or papermill's own trouble: the cells tell which
        return {"end": "error", "reason": f"{type(error).__name__}: {first_line(error)}"}
    return {"end": "done", "reason": ""}


def _end_with(parent: int) -> None:
    """Leave when the caller is gone; the kernel, which watches this process, then leaves too."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main() -> None:
    """Read the job, run it, write its end beside it."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    threading.Thread(target=_end_with, args=(job["parent"],), daemon=True).start()
    Path(job["ended"]).write_text(json.dumps(execute(job)), encoding="utf-8")
