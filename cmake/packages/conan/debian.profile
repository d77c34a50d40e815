# For `conan create cmake/packages/conan -pr:a cmake/packages/conan/debian.profile`: g++ 12, and Eigen as the machine has it.
[settings]
os=Linux
arch=x86_64
compiler=gcc
compiler.version=12
compiler.libcxx=libstdc++11
compiler.cppstd=20
build_type=Release
[platform_requires]
eigen/3.4.0
