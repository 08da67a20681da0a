# What the package tests have in common. A script includes it first; then it has
#   WORK_DIR         an empty folder of its own
#   CONSUMER_DIR     the program outside the tree
#   run(...)         runs a command; shows what it printed only if it fails. Sets OUTPUT.
#   fails(...)       the opposite: fails if the command succeeds. Sets OUTPUT.
#   configure(...)   configures a project with the tools of the outer build
cmake_minimum_required(VERSION 3.25)
include(${SETTINGS})

set(WORK_DIR ${SCRATCH_DIR}/${CASE})
set(CONSUMER_DIR ${TEST_DIR}/consumer)
file(REMOVE_RECURSE ${WORK_DIR})
file(MAKE_DIRECTORY ${WORK_DIR})

# The environment is not to change what is built or where it goes.
foreach(name IN ITEMS CXXFLAGS CPPFLAGS LDFLAGS DESTDIR)
  unset(ENV{${name}})
endforeach()

macro(run)
  execute_process(
    COMMAND ${ARGN}
    RESULT_VARIABLE result
    OUTPUT_VARIABLE OUTPUT
    ERROR_VARIABLE OUTPUT)
  if(NOT result EQUAL 0)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "${command}\nended with ${result}:\n${OUTPUT}")
  endif()
endmacro()

macro(fails)
  execute_process(
    COMMAND ${ARGN}
    RESULT_VARIABLE result
    OUTPUT_VARIABLE OUTPUT
    ERROR_VARIABLE OUTPUT)
  if(result EQUAL 0)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "${command}\nsucceeded and should not have:\n${OUTPUT}")
  endif()
endmacro()

set(CONFIGURE ${CMAKE_COMMAND} -G ${GENERATOR} -C ${SCRATCH_DIR}/cache.cmake)
macro(configure source binary)
  run(${CONFIGURE} -S ${source} -B ${binary} ${ARGN})
endmacro()

# The folder of the libraries in an installation of this linkage. A shared one follows the multiarch
# layout where there is one, so that both depths are tried.
if(LINKAGE STREQUAL "shared" AND LIBRARY_ARCHITECTURE)
  set(LIBDIR lib/${LIBRARY_ARCHITECTURE})
else()
  set(LIBDIR lib)
endif()

# For CMake to find neither hiredis nor fmt nor OpenSSL.
set(WITHOUT_REDIS_LIBRARIES
    -DCMAKE_DISABLE_FIND_PACKAGE_Hiredis=ON -DCMAKE_DISABLE_FIND_PACKAGE_hiredis=ON
    -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON -DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON)
