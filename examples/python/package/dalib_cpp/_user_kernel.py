"""Kernels from a string: the expression is checked and written as C++, compiled once, and loaded by its C interface."""

from __future__ import annotations

import ast
import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import List, Tuple

from . import _load

_FUNCTIONS = {
    "exp": 1, "exp2": 1, "expm1": 1, "log": 1, "log2": 1, "log10": 1, "log1p": 1, "sqrt": 1, "cbrt": 1, "sin": 1, "cos": 1, "tanh": 1,
    "abs": 1, "pow": 2, "min": 2, "max": 2,
}  # fmt: skip
_STATISTICS = ("squared_distance", "inner_product", "cosine_similarity", "l1_distance")
_INCLUDE = Path(__file__).parent / "include"


@dataclass(frozen=True)
class UserKernel:
    """A checked expression as C++."""

    body: str
    statistic: str
    parameters: Tuple[str, ...]


class _Writer:
    """Python's syntax tree of an expression, as C++."""

    def __init__(self, expression: str, parameters: Tuple[str, ...]) -> None:
        self.expression, self.parameters = expression, parameters

    def fail(self, node: ast.AST, sentence: str) -> SyntaxError:
        place = getattr(node, "col_offset", 0) + 1
        return SyntaxError(f"kernel.compile: {sentence}", ("<kernel>", 1, place, self.expression))

    def write(self, node: ast.AST) -> str:
        if isinstance(node, ast.Expression):
            return self.write(node.body)
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return f"({float(node.value)!r})"
        if isinstance(node, ast.Name):
            if node.id == "s":
                return "s"
            if node.id in self.parameters:
                return f"p_{node.id}"
            raise self.fail(node, f"{node.id!r} is neither s nor a parameter that was given ({', '.join(self.parameters) or 'none was'})")
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            return f"({'-' if isinstance(node.op, ast.USub) else ''}{self.write(node.operand)})"
        if isinstance(node, ast.BinOp):
            return self.operation(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.IfExp):
            return self.choice(node)
        raise self.fail(node, "only numbers, s, parameters, + - * / **, function calls and `a if s < b else c` may stand in a kernel")

    def operation(self, node: ast.BinOp) -> str:
        signs = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
        left, right = self.write(node.left), self.write(node.right)
        if type(node.op) in signs:
            return f"({left} {signs[type(node.op)]} {right})"
        if isinstance(node.op, ast.Pow):
            whole = node.right.value if isinstance(node.right, ast.Constant) else None
            if isinstance(whole, int) and 1 <= whole <= 8:  # right for negative numbers too
                return "(" + " * ".join([left] * whole) + ")"
            return f"pow({left}, {right})"
        raise self.fail(node, "the operators are + - * / **")

    def call(self, node: ast.Call) -> str:
        name = node.func.id if isinstance(node.func, ast.Name) else "?"
        if name not in _FUNCTIONS:
            raise self.fail(node, f"there is no function {name!r}; there are {', '.join(_FUNCTIONS)}")
        if len(node.args) != _FUNCTIONS[name] or node.keywords:
            raise self.fail(node, f"{name} takes {_FUNCTIONS[name]} argument(s)")
        return f"{name}({', '.join(self.write(a) for a in node.args)})"

    def choice(self, node: ast.IfExp) -> str:
        test, signs = node.test, {ast.Lt: "<", ast.Gt: ">", ast.LtE: "<=", ast.GtE: ">="}
        if not isinstance(test, ast.Compare) or len(test.ops) != 1 or type(test.ops[0]) not in signs:
            raise self.fail(test, "a condition is one comparison by < > <= >=")
        comparison = f"{self.write(test.left)} {signs[type(test.ops[0])]} {self.write(test.comparators[0])}"
        return f"select({comparison}, {self.write(node.body)}, {self.write(node.orelse)})"


def translate(expression: str, statistic: str, parameters: Tuple[str, ...]) -> UserKernel:
    """Checks an expression. Raises SyntaxError with the place of what is wrong."""
    if statistic not in _STATISTICS:
        raise ValueError(f"kernel.compile: statistic must be one of {', '.join(_STATISTICS)}, not {statistic!r}")
    for name in parameters:
        if name == "s" or name in _FUNCTIONS or not name.isascii() or "__" in name:
            raise ValueError(f"kernel.compile: a parameter cannot be called {name!r}")
    text = expression.strip()
    try:
        tree = ast.parse(text, "<kernel>", "eval")
    except SyntaxError as error:
        raise SyntaxError(f"kernel.compile: {error.msg}", ("<kernel>", 1, error.offset, text)) from None
    return UserKernel(_Writer(text, parameters).write(tree), statistic, parameters)


def source_of(kernel: UserKernel, operation: str) -> str:
    """The C++ program."""
    members = "".join(f"  double p_{name};\n" for name in kernel.parameters)
    values = "".join(f", n[{place + 1}]" for place in range(len(kernel.parameters)))
    used = "".join(f"    using std::{name};\n" for name in _FUNCTIONS if name not in ("min", "max"))
    return (
        f"#define DALIB_PYTHON_OPERATION {operation}\n"
        '#include "dalib_python/user_kernel.hpp"\n\n'
        "struct value {\n" + members + "  template <class T>\n  auto operator()(const T& s) const {\n" + used +
        f"    return {kernel.body};\n  }}\n}};\n"
        f"DALIB_PYTHON_USER_KERNEL(value, dalib::{kernel.statistic}{values})\n"
    )  # fmt: skip


def _compiler() -> str:
    for name in (os.environ.get("CXX"), "c++", "g++", "clang++"):
        if name and shutil.which(name):
            return name
    raise RuntimeError(
        "kernel.compile: there is no C++ compiler (Debian: apt-get install g++; CXX names another); "
        "combinations of the kernels in dalib_cpp.kernel need none"
    )


def cache_folder() -> Path:
    """Where compiled kernels are kept: DALIB_CPP_CACHE, or dalib_cpp in the user's cache folder."""
    chosen = os.environ.get("DALIB_CPP_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dalib_cpp"


def _flags() -> List[str]:
    best = _load.levels(_load._flags())
    march = [f"-march=x86-64-{best[0]}"] if best else []
    return ["-std=c++20", "-O2", *march, "-fopenmp", "-fPIC", "-shared", "-fvisibility=hidden", "-w", f"-I{_INCLUDE}"]


def _eigen() -> List[str]:
    for folder in (os.environ.get("DALIB_CPP_EIGEN"), "/usr/include/eigen3", "/usr/local/include/eigen3"):
        if folder and (Path(folder) / "Eigen" / "Core").exists():
            return ["-isystem", folder]
    raise RuntimeError(
        "kernel.compile: the headers of Eigen 3.4 were not found (Debian: apt-get install libeigen3-dev; DALIB_CPP_EIGEN names another folder)"
    )


@functools.lru_cache(maxsize=None)
def _headers() -> str:
    """What changes with the headers: a new version of this package compiles anew."""
    digest = hashlib.sha256()
    for path in sorted(_INCLUDE.rglob("*.hpp")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class _lock:
    """One process at a time: a lock on a file, which ends with its holder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        import fcntl

        self.file = open(self.path, "w")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *error: object) -> None:
        self.file.close()


def library_of(kernel: UserKernel, operation: str) -> Path:
    """The compiled library, from the cache or made now."""
    compiler, flags, source = _compiler(), _flags(), source_of(kernel, operation)
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout.partition("\n")[0]
    key = hashlib.sha256("\0".join([source, *flags, compiler, version, _headers()]).encode()).hexdigest()[:32]
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / f"{key}.so"
    if library.exists():
        return library
    with _lock(folder / f"{key}.lock"):
        if library.exists():  # another process was faster
            return library
        with tempfile.TemporaryDirectory(dir=folder) as work:
            program, made = Path(work) / "kernel.cpp", Path(work) / "kernel.so"
            program.write_text(source)
            command = [compiler, *flags, *_eigen(), str(program), "-o", str(made)]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0:
                errors = [line for line in result.stderr.splitlines() if "error" in line][:5]
                raise RuntimeError("kernel.compile: the compiler refused the kernel:\n" + "\n".join(errors or [result.stderr[-500:]]))
            os.replace(made, library)
    return library


@functools.lru_cache(maxsize=None)
def _loaded(path: str) -> ctypes.CDLL:
    return ctypes.CDLL(path)


@functools.lru_cache(maxsize=None)
def address_of(kernel: UserKernel, operation: str) -> int:
    """Address of the library's function; the library stays loaded."""
    function = _loaded(str(library_of(kernel, operation))).dalib_cpp_call
    return ctypes.cast(function, ctypes.c_void_p).value or 0
