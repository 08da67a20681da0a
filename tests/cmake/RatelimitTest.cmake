# ratelimit_test(<name> LABEL <label> SOURCES <file>... [LIBRARIES <target>...]): a GoogleTest program whose
# tests CTest runs one by one, known by their label (ctest -L).
function(ratelimit_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL" "SOURCES;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  ratelimit_target(${name})
  target_link_libraries(${name} PRIVATE ratelimit_test_support ${arg_LIBRARIES} GTest::gmock
                                        GTest::gtest_main)
  if(arg_LABEL MATCHES "^(faults|stress)$")
    add_dependencies(threaded_tests ${name})
  endif()
  gtest_discover_tests(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 300 DISCOVERY_TIMEOUT 60)
endfunction()
