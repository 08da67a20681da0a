# ratelimit_server_test(<name> LABEL <label> SOURCES <file>... [LIBRARIES <target>...]): as ratelimit_test,
# for a program that starts a server of its own. CTest runs it whole, so that its tests share the server.
function(ratelimit_server_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL" "SOURCES;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  ratelimit_target(${name})
  target_link_libraries(${name} PRIVATE ratelimit_test_support ${arg_LIBRARIES} GTest::gmock
                                        GTest::gtest_main)
  if(arg_LABEL MATCHES "^(faults|stress)$")
    add_dependencies(threaded_tests ${name})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 600)
endfunction()
