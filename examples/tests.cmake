# Runs the examples and holds them to what they print.
find_package(GTest REQUIRED)
include(GoogleTest)
ratelimit_test(
  access_log_test
  LABEL examples
  SOURCES access_log.cpp access_log_test.cpp)
target_include_directories(access_log_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})

# quickstart_test(<name> ARGS <argument>... [EXPECTED <file>] [EXIT <code>] [ERRORS <regex>]): quickstart,
# run in the folder of the logs, prints the file but for the line that tells the time taken, ends with the
# code (0), and its standard error matches the regex (^$).
function(quickstart_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "EXPECTED;EXIT;ERRORS" "ARGS")
  add_test(
    NAME quickstart.${name}
    COMMAND
      ${CMAKE_COMMAND} "-DPROGRAM=$<TARGET_FILE:quickstart>" "-DARGS=${arg_ARGS}"
      "-DEXPECTED=${arg_EXPECTED}" "-DEXIT=${arg_EXIT}" "-DERRORS=${arg_ERRORS}" -P
      ${CMAKE_CURRENT_SOURCE_DIR}/check_quickstart.cmake
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/data)
  set_tests_properties(quickstart.${name} PROPERTIES LABELS examples TIMEOUT 120)
endfunction()

quickstart_test(all_policies ARGS access.log EXPECTED access.expected)
foreach(policy IN ITEMS token leaky fixed log counter)
  quickstart_test(${policy} ARGS --policy ${policy} access.log EXPECTED access-${policy}.expected)
endforeach()
quickstart_test(
  nasty_log
  ARGS --limit 2 nasty.log
  EXPECTED nasty.expected
  ERRORS "^line 12 not read, empty\nline 13 .*\nline 16 .*: 192.0.2.7.x00.x1b.31m - - .*\nand 2 more\n$")
quickstart_test(empty_log ARGS --policy log /dev/null EXPECTED empty.expected)
quickstart_test(help ARGS --policy --help)
quickstart_test(no_log ARGS --limit 5 EXIT 2 ERRORS "no log given.*usage: ")
quickstart_test(unknown_policy ARGS --policy lek access.log EXIT 2 ERRORS "no policy \"lek\"")
quickstart_test(unknown_option ARGS --polcy log access.log EXIT 2 ERRORS "unknown option --polcy")
quickstart_test(no_number ARGS --limit 10x access.log EXIT 2 ERRORS "--limit takes a whole number")
quickstart_test(missing_log ARGS missing.log EXIT 1 ERRORS "cannot open missing.log")
quickstart_test(folder_as_log ARGS . EXIT 1 ERRORS "cannot read .")
quickstart_test(refused_window ARGS --window 99999999 access.log EXIT 1 ERRORS "366 days|31622400")
if(TARGET ratelimit::redis)
  # Port 1 is nobody's.
  quickstart_test(
    no_server
    ARGS --redis redis://user:secret@127.0.0.1:1 access.log
    EXIT 1
    ERRORS "^quickstart: 10 decisions of policy token were made without the server, gave up there: unreachable: [^\n]*127.0.0.1:1[^\n]*\n$")
  add_test(
    NAME quickstart.same_on_redis
    COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/same_on_redis.sh $<TARGET_FILE:quickstart> access.log
            nasty.log
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/data)
  set_tests_properties(quickstart.same_on_redis PROPERTIES LABELS examples TIMEOUT 300)
else()
  quickstart_test(
    without_redis ARGS --redis redis://127.0.0.1:1 access.log EXIT 1 ERRORS "built without it")
endif()
