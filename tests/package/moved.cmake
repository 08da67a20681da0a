# Installs into one place and uses it from another: nothing in an installation may know where it is.
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/pkg_config_consumer.cmake)

run(${CMAKE_COMMAND} --install ${SCRATCH_DIR}/install.${LINKAGE}/build --prefix ${WORK_DIR}/first)
file(RENAME ${WORK_DIR}/first ${WORK_DIR}/second)

file(GLOB_RECURSE texts ${WORK_DIR}/second/*.cmake ${WORK_DIR}/second/*.pc)
foreach(text IN LISTS texts)
  file(READ ${text} content)
  string(FIND "${content}" "${SCRATCH_DIR}" at)
  if(NOT at EQUAL -1)
    message(FATAL_ERROR "${text} names the folder that it was installed into:\n${content}")
  endif()
endforeach()

# Shared libraries find each other in a folder that the loader does not know.
if(LINKAGE STREQUAL "shared")
  file(GLOB libraries ${WORK_DIR}/second/${LIBDIR}/*.so)
  file(
    GET_RUNTIME_DEPENDENCIES
    LIBRARIES ${libraries}
    RESOLVED_DEPENDENCIES_VAR resolved
    UNRESOLVED_DEPENDENCIES_VAR unresolved)
  if(unresolved MATCHES "libratelimit")
    message(FATAL_ERROR "The libraries do not find each other: ${unresolved}")
  endif()
endif()

configure(${CONSUMER_DIR} ${WORK_DIR}/build -Dratelimit_ROOT=${WORK_DIR}/second -DREDIS=${REDIS}
          -DVERSION=${VERSION})
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build --parallel 1 --target consumer)
run(${WORK_DIR}/build/consumer)

pkg_config_consumer(${WORK_DIR}/second)
