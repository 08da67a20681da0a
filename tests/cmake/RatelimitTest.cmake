# ratelimit_test_target(<target>): what every target of tests has in common: RATELIMIT_TEST_FLAGS, and the
# headers that most of them include, compiled once (CMAKE_DISABLE_PRECOMPILE_HEADERS=ON does without).
function(ratelimit_test_target target)
  ratelimit_target(${target})
  separate_arguments(flags UNIX_COMMAND "${RATELIMIT_TEST_FLAGS}")
  target_compile_options(${target} PRIVATE ${flags})
  if(NOT target STREQUAL "ratelimit_test_headers")
    target_precompile_headers(${target} REUSE_FROM ratelimit_test_headers)
  endif()
endfunction()

# ratelimit_test_program(<name> LABEL <label> SOURCES <file>... [LIBRARIES <target>...]): the program of a
# test. Sources of the library among the files are compiled as they are in the library.
function(ratelimit_test_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "BESIDE_OTHERS" "LABEL" "SOURCES;LIBRARIES")
  set(inside ${arg_SOURCES})
  list(FILTER inside INCLUDE REGEX "^${PROJECT_SOURCE_DIR}/src/")
  if(inside)
    list(REMOVE_ITEM arg_SOURCES ${inside})
    ratelimit_objects(${name}_inside ${inside})
    target_compile_options(
      ${name}_inside PRIVATE $<TARGET_PROPERTY:ratelimit_core,COMPILE_OPTIONS>)
    list(APPEND arg_SOURCES $<TARGET_OBJECTS:${name}_inside>)
  endif()
  add_executable(${name} ${arg_SOURCES})
  ratelimit_test_target(${name})
  target_link_libraries(${name} PRIVATE ratelimit_test_support ${arg_LIBRARIES} GTest::gmock
                                        GTest::gtest_main)
  if(arg_LABEL MATCHES "^(faults|stress)$")
    add_dependencies(threaded_tests ${name})
  endif()
endfunction()

# ratelimit_test_alone(<variable> <label>): whether CTest runs tests of this label with nothing beside them,
# since they measure time or use every core.
function(ratelimit_test_alone variable label)
  if(label MATCHES "^(faults|stress)$")
    set(${variable} TRUE PARENT_SCOPE)
  else()
    set(${variable} FALSE PARENT_SCOPE)
  endif()
endfunction()

# ratelimit_test(<name> [BESIDE_OTHERS] LABEL <label> SOURCES <file>... [LIBRARIES <target>...]): a
# GoogleTest program whose tests CTest runs one by one, known by their label (ctest -L). BESIDE_OTHERS: not
# alone, whatever the label.
function(ratelimit_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "BESIDE_OTHERS" "LABEL" "")
  ratelimit_test_program(${name} ${ARGN})
  ratelimit_test_alone(alone ${arg_LABEL})
  if(arg_BESIDE_OTHERS)
    set(alone FALSE)
  endif()
  gtest_discover_tests(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 300 RUN_SERIAL ${alone}
                       DISCOVERY_TIMEOUT 60)
endfunction()
