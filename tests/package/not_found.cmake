# What find_package says when it cannot give what was asked for.
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)

set(core_only -Dratelimit_ROOT=${SCRATCH_DIR}/install.core_only/prefix)
set(all -Dratelimit_ROOT=${SCRATCH_DIR}/install.static/prefix)

macro(expect_refusal words)
  fails(${CONFIGURE} -S ${CONSUMER_DIR} -B ${WORK_DIR} --fresh ${ARGN})
  string(REGEX REPLACE "[ \n]+" " " OUTPUT "${OUTPUT}")
  if(NOT OUTPUT MATCHES "${words}")
    message(FATAL_ERROR "Expected \"${words}\" in:\n${OUTPUT}")
  endif()
endmacro()

expect_refusal("Component redis is not in this installation, which has: core\\." ${core_only}
               -DREDIS=ON -DVERSION=${VERSION})
expect_refusal("version: ${VERSION}" ${core_only} -DREDIS=OFF -DVERSION=${VERSION}.1)
# An older one, too: before 1.0 a minor version may break what uses it.
expect_refusal("version: ${VERSION}" ${core_only} -DREDIS=OFF -DVERSION=0.0.1)
if(REDIS)
  set(needs "hiredis and fmt")
  if(TLS)
    string(APPEND needs " and OpenSSL")
  endif()
  expect_refusal("Component redis needs ${needs}, which cannot be found\\." ${all} -DREDIS=ON
                 -DVERSION=${VERSION} ${WITHOUT_REDIS_LIBRARIES})
endif()
