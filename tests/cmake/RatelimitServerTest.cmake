# ratelimit_server_test(<name> LABEL <label> SOURCES <file>... [LIBRARIES <target>...]): as ratelimit_test,
# for a program that starts a server of its own. CTest runs it whole, so that its tests share the server.
function(ratelimit_server_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL" "")
  ratelimit_test_program(${name} ${ARGN})
  add_test(NAME ${name} COMMAND ${name})
  ratelimit_test_alone(alone ${arg_LABEL})
  set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 600 COST 10 RUN_SERIAL ${alone})
endfunction()
