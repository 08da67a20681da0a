# Compiles misuse.cpp once for each way to misuse the library: the compiler must refuse, for the
# reason expected. Without any misuse the same file must compile.
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)

set(compile ${CXX} -std=c++17 -Wall -Werror -I${SOURCE_DIR}/include -fsyntax-only
            ${TEST_DIR}/misuse.cpp)
run(${compile})

macro(expect_refusal misuse words)
  fails(${compile} -D${misuse})
  if(NOT OUTPUT MATCHES "${words}")
    message(SEND_ERROR "${misuse} was refused for another reason than \"${words}\":\n${OUTPUT}")
  endif()
endmacro()

expect_refusal(IGNORED_DECISION nodiscard)
expect_refusal(IGNORED_RESULT nodiscard)
expect_refusal(COPIED_CLOCK deleted)
expect_refusal(DECISION_AS_NUMBER "convert|conversion")
expect_refusal(SPAN_WITHOUT_UNIT "convert|conversion")
expect_refusal(SPAN_OF_FRACTIONS "convert|conversion")
