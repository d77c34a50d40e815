# `cmake --build build --target reference`: every public name with its documentation as HTML in build/reference/html, by Doxygen, if it is
# there. The first page is include/dalib/reference.md. A warning is an error.
find_package(Doxygen QUIET)
if(NOT DOXYGEN_FOUND)
  message(STATUS "dalib: no target reference, doxygen was not found (cmake/setup.sh --ci installs it)")
  return()
endif()
set(DOXYGEN_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/reference)
set(DOXYGEN_FILE_PATTERNS *.hpp)
file(GLOB insides LIST_DIRECTORIES true CONFIGURE_DEPENDS ${dalib_include_dir}/dalib/engine/*)
list(FILTER insides EXCLUDE REGEX "\\.(hpp|md)$")
set(DOXYGEN_EXCLUDE ${insides})
set(DOXYGEN_EXCLUDE_SYMBOLS detail *::detail dalib::detail *::detail::*)
set(DOXYGEN_STRIP_FROM_PATH ${dalib_include_dir}/dalib)
set(DOXYGEN_STRIP_FROM_INC_PATH ${dalib_include_dir})
# On the page links are files beside it; in the reference they are its own pages of them.
set(page ${dalib_include_dir}/dalib/reference.md)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page})
file(READ ${page} text)
string(REGEX REPLACE "\\]\\(([a-z_/]*\\.hpp)\\)" "](@ref \\1)" text "${text}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/reference/reference.md CONTENT "${text}" @ONLY)
set(DOXYGEN_USE_MDFILE_AS_MAINPAGE ${CMAKE_BINARY_DIR}/reference/reference.md)
set(DOXYGEN_JAVADOC_AUTOBRIEF YES)
set(DOXYGEN_MACRO_EXPANSION YES)
set(DOXYGEN_EXPAND_ONLY_PREDEF YES)
set(DOXYGEN_PREDEFINED DALIB_HD= DALIB_ONE_COPY=)
set(DOXYGEN_HAVE_DOT NO)
set(DOXYGEN_QUIET YES)
set(DOXYGEN_WARN_IF_UNDOCUMENTED NO)   # documentation.complete asks for that
set(DOXYGEN_WARN_IF_INCOMPLETE_DOC NO) # parameters are explained in sentences
set(DOXYGEN_WARN_AS_ERROR FAIL_ON_WARNINGS)
doxygen_add_docs(reference ${dalib_include_dir}/dalib ${CMAKE_BINARY_DIR}/reference/reference.md
  COMMENT "Reference of all public names in reference/html/index.html")
