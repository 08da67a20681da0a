# Builds and runs a program against an installation through find_package: in C++17, with and without
# exceptions.
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)

set(options -Dratelimit_ROOT=${SCRATCH_DIR}/install.${PREFIX}/prefix -DREDIS=${REDIS}
            -DVERSION=${VERSION})
if(NOT REDIS)
  # What is there and not asked for stays out.
  configure(${CONSUMER_DIR} ${WORK_DIR}/with_all ${options})
endif()
# What the consumer does not need may be missing.
if(LINKAGE STREQUAL "shared" OR NOT REDIS)
  list(APPEND options ${WITHOUT_REDIS_LIBRARIES})
endif()

configure(${CONSUMER_DIR} ${WORK_DIR}/build ${options})
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build --parallel 1)
run(${WORK_DIR}/build/consumer)
run(${WORK_DIR}/build/consumer_no_exceptions)
