// The object that precompiled.hpp is compiled with.
