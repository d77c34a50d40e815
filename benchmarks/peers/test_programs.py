"""Every comparing program starts, and the GPU's cases keep their precision, where there is neither a GPU nor a peer. Run by CTest."""
import re
import subprocess
import sys
from pathlib import Path

import gpu_compare

PEERS = {"dalib_cpp", "geomloss", "numpy", "pykeops", "scipy", "sklearn", "torch"}
here = Path(__file__).resolve().parent.parent
programs = sorted(here.glob("*compare*.py"))
assert len(programs) >= 5, programs
for program in programs:
    done = subprocess.run([sys.executable, program, "--help"], capture_output=True, text=True)
    missing = re.search(r"ModuleNotFoundError: No module named '(\w+)", done.stderr)
    if missing and missing[1] in PEERS:
        print(f"{program.name} needs {missing[1]}, which is not installed")
        continue
    assert done.returncode == 0 and "usage" in done.stdout, f"{program.name}: {done.stderr}"

case = gpu_compare.GpuCase("mmd", "float", 512, 512, 256, 0, "gradient", precision="tf32")
assert case.precision == "tf32" and case.data == "noise", case
print("test_programs: passed")
