"""Conan recipe of dalib: `conan create cmake/packages/conan`. The version is read from config.hpp."""

import re
from pathlib import Path

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy

ROOT = Path("../../..")  # of the recipe, in dalib's tree


class Dalib(ConanFile):
    name = "dalib"
    description = "Header-only C++20 domain adaptation losses with exact fused gradients"
    license = "MIT"
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    no_copy_source = True

    def set_version(self):
        header = Path(self.recipe_folder) / ROOT / "include/dalib/config.hpp"
        numbers = dict(re.findall(r"#define DALIB_VERSION_(MAJOR|MINOR|PATCH) (\d+)", header.read_text()))
        self.version = ".".join(numbers[part] for part in ("MAJOR", "MINOR", "PATCH"))

    def export_sources(self):
        root = Path(self.recipe_folder) / ROOT
        for pattern in ("CMakeLists.txt", "LICENSE", "README.md", "cmake/*", "include/*"):
            copy(self, pattern, root, self.export_sources_folder)

    def requirements(self):
        self.requires("eigen/3.4.0", transitive_headers=True)

    def validate(self):
        if self.settings.get_safe("compiler.cppstd"):
            check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            toolchain.cache_variables[f"DALIB_BUILD_{part}"] = False
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, Path(self.package_folder) / "licenses")

    def package_id(self):
        self.info.clear()

    def package_info(self):
        self.cpp_info.bindirs = self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_find_mode", "none")  # dalib's own package finds its parts
        self.cpp_info.builddirs = ["share/cmake/dalib"]
