"""Networks on the CPU come and go without harm to the process."""

import subprocess
import sys
import textwrap
from pathlib import Path


def test_signals_find_their_way_after_networks_were_let_go(tmp_path: Path) -> None:
    """OpenVINO's Core swaps the thread's stack for signals; several of them left none behind, and a signal was the end."""
    script = textwrap.dedent("""
        import gc, os, signal, sys
        from pathlib import Path
        import torch
        from worker.openvino_cpu import CpuNetwork, converted_file

        model = converted_file(torch.nn.Conv2d(3, 2, 3).eval(), [1, 3, 8, 8], Path(sys.argv[1]) / "small.xml")
        for _ in range(3):
            network = CpuNetwork(model, [-1, 3, 8, 8], 1)
        del network
        gc.collect()
        signal.signal(signal.SIGUSR1, lambda *_: print("heard"))
        os.kill(os.getpid(), signal.SIGUSR1)
    """)
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stdout.strip()) == (0, "heard"), done.stderr
