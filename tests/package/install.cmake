# Builds the library in one linkage and installs it into "prefix": the fixture of the tests that use
# it.
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)

set(options -DRATELIMIT_TESTS=OFF -DRATELIMIT_EXAMPLES=OFF
            -DRATELIMIT_REDIS=${REDIS} -DCMAKE_INSTALL_LIBDIR=${LIBDIR})
if(LINKAGE STREQUAL "shared")
  list(APPEND options -DBUILD_SHARED_LIBS=ON)
endif()
if(REDIS)
  list(APPEND options -DRATELIMIT_TLS=${TLS})
else()
  list(APPEND options ${WITHOUT_REDIS_LIBRARIES})
endif()

configure(${SOURCE_DIR} ${WORK_DIR}/build ${options})
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build --parallel 1)
run(${CMAKE_COMMAND} --install ${WORK_DIR}/build --prefix ${WORK_DIR}/prefix)

# Every public header is there.
file(GLOB headers RELATIVE ${SOURCE_DIR}/include ${SOURCE_DIR}/include/ratelimit/*)
foreach(header IN LISTS headers)
  if(NOT EXISTS ${WORK_DIR}/prefix/include/${header})
    message(FATAL_ERROR "${header} was not installed")
  endif()
endforeach()
