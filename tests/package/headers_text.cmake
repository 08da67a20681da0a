# Reads the public headers: each is short, includes only the standard library and its neighbours,
# and ratelimit.hpp includes them all.
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)

file(READ ${SOURCE_DIR}/include/ratelimit/ratelimit.hpp umbrella)
file(GLOB headers RELATIVE ${SOURCE_DIR}/include ${SOURCE_DIR}/include/ratelimit/*)
foreach(header IN LISTS headers)
  file(READ ${SOURCE_DIR}/include/${header} text)

  string(REGEX MATCHALL "\n" lines "${text}")
  list(LENGTH lines lines)
  if(lines GREATER 200)
    message(SEND_ERROR "${header} has ${lines} lines; 200 is the most")
  endif()

  string(REGEX MATCHALL "#[ \t]*include[^\n]*" includes "${text}")
  foreach(include IN LISTS includes)
    if(include MATCHES "^#include \"(ratelimit/[a-z_]+\\.hpp)\"$")
      if(NOT CMAKE_MATCH_1 IN_LIST headers)
        message(SEND_ERROR "${header} includes what is not public: ${include}")
      endif()
    elseif(NOT include MATCHES "^#include <[a-z_]+>$") # only the standard library's have no dot
      message(SEND_ERROR "${header} shows a dependency: ${include}")
    endif()
  endforeach()

  string(FIND "${umbrella}" "#include \"${header}\"" at)
  if(at EQUAL -1 AND NOT header STREQUAL "ratelimit/ratelimit.hpp")
    message(SEND_ERROR "ratelimit.hpp does not include ${header}")
  endif()
endforeach()
