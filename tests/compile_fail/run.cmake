# Compiles ${source} with ${compiler} and the flags in ${flags_file}; succeeds when that fails with the sentence on the first line.
include(${flags_file})
file(STRINGS ${source} first_line LIMIT_COUNT 1)
if(NOT first_line MATCHES "^// expect: (.+)$")
  message(FATAL_ERROR "${source}: the first line must be `// expect: sentence`")
endif()
set(sentence "${CMAKE_MATCH_1}")
list(TRANSFORM definitions PREPEND -D)
list(TRANSFORM includes PREPEND -isystem)

# The language comes from C, so that the compiler does not translate or bend the quotes in its messages.
execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${compiler} -std=c++20 -fsyntax-only ${flags} -Wno-error ${precompiled} ${definitions} ${includes} ${source}
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
string(FIND "${output}" "${sentence}" position)
if(status EQUAL 0)
  message(FATAL_ERROR "verdict: it compiles")
elseif(position EQUAL -1)
  message("${output}")
  message(FATAL_ERROR "verdict: the sentence is missing\nexpected: ${sentence}")
endif()
message("verdict: refused as expected: ${sentence}")
