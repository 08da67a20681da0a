# Compiles every public header alone, included twice, in one way: cxx17, cxx20 or
# cxx17_no_exceptions.
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)

string(REGEX MATCH "[0-9]+" standard ${WAY})
set(flags -std=c++${standard} -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
          -Werror)
if(WAY MATCHES "no_exceptions")
  list(APPEND flags -fno-exceptions)
endif()

file(GLOB headers RELATIVE ${SOURCE_DIR}/include ${SOURCE_DIR}/include/ratelimit/*)
foreach(header IN LISTS headers)
  file(WRITE ${WORK_DIR}/alone.cpp "#include \"${header}\"\n#include \"${header}\"\n")
  run(${CXX} ${flags} -I${SOURCE_DIR}/include -fsyntax-only ${WORK_DIR}/alone.cpp)
endforeach()
