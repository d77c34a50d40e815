# Finds the headers of Thrust for host systems: those of a CUDA toolkit (CCCL), or a package of the system (Debian: libthrust-dev). Sets
# DALIB_THRUST_INCLUDE_DIR, empty if there are none that are new enough, and dalib_thrust_message, which says why. nvcc brings its own.
set(dalib_thrust_least 101600)
find_path(DALIB_THRUST_INCLUDE_DIR thrust/version.h
  HINTS ENV CUDA_PATH ENV CUDA_HOME /usr/local/cuda
  PATH_SUFFIXES include/cccl include)
set(dalib_thrust_message "")
if(DALIB_THRUST_INCLUDE_DIR)
  file(STRINGS ${DALIB_THRUST_INCLUDE_DIR}/thrust/version.h dalib_thrust_line REGEX "#define THRUST_VERSION [0-9]+")
  string(REGEX MATCH "THRUST_VERSION ([0-9]+)" dalib_thrust_line "${dalib_thrust_line}")
  set(dalib_thrust_version "${CMAKE_MATCH_1}")
  if(NOT dalib_thrust_version OR dalib_thrust_version LESS dalib_thrust_least)
    set(dalib_thrust_message
      "the Thrust in ${DALIB_THRUST_INCLUDE_DIR} has version ${dalib_thrust_version}, at least ${dalib_thrust_least} (1.16) is needed")
    unset(DALIB_THRUST_INCLUDE_DIR CACHE)
    unset(DALIB_THRUST_INCLUDE_DIR)
  endif()
else()
  set(dalib_thrust_message "Thrust was not found: neither CCCL of a CUDA toolkit (set CUDA_HOME or DALIB_THRUST_INCLUDE_DIR) nor Debian's libthrust-dev")
endif()
