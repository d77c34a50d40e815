# Several numbered examples as one file to the compiler, which then instantiates once what they share: for test runs, where nearly all of the
# time is compiling. Each example stands in a namespace of its own, behind all that they include, and its main has another name there; a file
# of a line each makes the programs.

# dalib_examples_together(sources...): adds example_<name> for each source, compiled by the object library examples_together.
function(dalib_examples_together)
  set(includes "")
  set(bodies "")
  foreach(source IN LISTS ARGN)
    cmake_path(GET source STEM name)
    file(STRINGS ${source} lines REGEX "^#include ")
    list(APPEND includes ${lines})
    file(STRINGS ${source} main REGEX "^int main\\(")
    set(arguments "int, char**")
    set(passed "argc, argv")
    if(main MATCHES "main\\(\\)")
      set(arguments "")
      set(passed "")
    endif()
    string(APPEND bodies "namespace example_${name} {\n#define main main_of_example\n#include \"${source}\"\n#undef main\n}\n")
    set(program ${CMAKE_CURRENT_BINARY_DIR}/together/${name}.cpp)
    file(CONFIGURE OUTPUT ${program} CONTENT
"namespace example_@name@ {
int main_of_example(@arguments@);
}
int main([[maybe_unused]] int argc, [[maybe_unused]] char** argv) { return example_@name@::main_of_example(@passed@); }
" @ONLY)
    add_executable(example_${name} ${program} $<TARGET_OBJECTS:examples_together>)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  endforeach()
  list(REMOVE_DUPLICATES includes)
  list(JOIN includes "\n" includes)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/together/all.cpp)
  file(CONFIGURE OUTPUT ${file} CONTENT "@includes@\n\n@bodies@" @ONLY)
  add_library(examples_together OBJECT ${file})
  dalib_example_settings(examples_together)
endfunction()
