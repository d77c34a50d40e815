# The comparing programs are tested where there is Python, what they measure where there is NumPy; nothing is built for it.
find_package(Python3 COMPONENTS Interpreter OPTIONAL_COMPONENTS NumPy QUIET)
foreach(test IN ITEMS programs worker)
  if(Python3_Interpreter_FOUND AND (Python3_NumPy_FOUND OR test STREQUAL "programs"))
    add_test(NAME benchmarks.${test} COMMAND Python3::Interpreter -m peers.test_${test} WORKING_DIRECTORY ${CMAKE_CURRENT_LIST_DIR})
    set_tests_properties(benchmarks.${test} PROPERTIES LABELS benchmarks)
  endif()
endforeach()
