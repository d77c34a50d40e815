cmake_minimum_required(VERSION 3.25)
# Fails when a header below ${include_dir}/dalib includes one of a higher floor, or when a folder stands on no floor.
# cmake -D include_dir=... [-D check_exceptions=ON] -P check_includes.cmake
set(floors
  "config.hpp"
  "core simd"
  "kernel estimator reduction execution tensor" # policies, which may know each other
  "concepts.hpp"
  "engine"
  "measure"
  "inference"
  "kernel_selection model_selection"
  "compat"
  "umbrella") # what users include: the other headers of include/dalib itself

# Known exceptions, "header included": none is left. An entry that is not needed fails too.
set(exceptions "")

# floor_of(dalib/core/view.hpp result): the number of its floor; empty if there is none.
function(floor_of header result)
  string(REGEX REPLACE "^dalib/([^/]*).*" "\\1" room "${header}")
  if(room MATCHES "\\.hpp$" AND NOT room MATCHES "^(config|concepts)\\.hpp$")
    set(room umbrella)
  endif()
  set(number 0)
  set(found "")
  foreach(floor IN LISTS floors)
    string(REPLACE " " ";" rooms "${floor}")
    if(room IN_LIST rooms)
      set(found ${number})
    endif()
    math(EXPR number "${number} + 1")
  endforeach()
  set(${result} "${found}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE headers RELATIVE ${include_dir} ${include_dir}/dalib/*.hpp)
set(findings "")
set(used "")
set(count 0)
foreach(header IN LISTS headers)
  floor_of(${header} own)
  if(own STREQUAL "")
    list(APPEND findings "${header}: its folder stands on no floor; give it one in check_includes.cmake")
    continue()
  endif()
  file(STRINGS ${include_dir}/${header} lines REGEX "^ *# *include [\"<]dalib/")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE ".*[\"<](dalib/[^\">]*).*" "\\1" included "${line}")
    math(EXPR count "${count} + 1")
    floor_of(${included} other)
    if(other STREQUAL "" OR other GREATER own)
      if("${header} ${included}" IN_LIST exceptions)
        list(APPEND used "${header} ${included}")
      else()
        list(APPEND findings "${header} includes ${included}, which is higher")
      endif()
    endif()
  endforeach()
endforeach()
foreach(exception IN LISTS exceptions)
  if(check_exceptions AND NOT exception IN_LIST used)
    list(APPEND findings "the exception `${exception}` is not needed any more")
  endif()
endforeach()
list(JOIN findings "\n  " findings)
if(findings OR count EQUAL 0)
  message(FATAL_ERROR "includes that run upwards (of ${count}):\n  ${findings}")
endif()
list(LENGTH exceptions known)
message(STATUS "${count} includes run downwards, but for ${known} exceptions")
