# Builds and runs a program that has the library as a subdirectory, every option at its default:
# only libraries come with it, and nothing of it shows in the surrounding project.
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)

set(options -DRATELIMIT_FOLDER=${SOURCE_DIR} -DREDIS=${REDIS})
if(NOT REDIS)
  list(APPEND options -DRATELIMIT_REDIS=OFF)
elseif(NOT TLS)
  list(APPEND options -DRATELIMIT_TLS=OFF)
endif()
configure(${TEST_DIR}/subdirectory ${WORK_DIR}/build ${options})
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build --parallel 1)
run(${WORK_DIR}/build/service)

run(${CMAKE_COMMAND} --install ${WORK_DIR}/build --prefix ${WORK_DIR}/prefix)
file(GLOB_RECURSE installed ${WORK_DIR}/prefix/*)
if(installed)
  message(FATAL_ERROR "The surrounding project installs ${installed}")
endif()

cmake_path(GET CMAKE_COMMAND PARENT_PATH cmake_dir)
run(${cmake_dir}/ctest --test-dir ${WORK_DIR}/build --show-only)
if(NOT OUTPUT MATCHES "Total Tests: 0")
  message(FATAL_ERROR "The surrounding project has tests that are not its own:\n${OUTPUT}")
endif()
