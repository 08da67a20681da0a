# Runs PROGRAM with ARGS and compares its standard output with the file EXPECTED (unless empty), its exit
# code with EXIT (default 0) and its standard error with the regex ERRORS (default ^$).
if(NOT EXIT)
  set(EXIT 0)
endif()
if(NOT ERRORS)
  set(ERRORS "^$")
endif()

execute_process(
  COMMAND ${PROGRAM} ${ARGS}
  OUTPUT_VARIABLE output
  ERROR_VARIABLE errors
  RESULT_VARIABLE exit)

if(NOT exit STREQUAL EXIT)
  message(FATAL_ERROR "exit code ${exit}, not ${EXIT}\n${output}${errors}")
endif()
if(NOT errors MATCHES "${ERRORS}")
  message(FATAL_ERROR "standard error does not match ${ERRORS}:\n${errors}")
endif()
if(EXPECTED)
  file(READ "${EXPECTED}" expected)
  # Only the last line tells the time taken.
  string(REGEX REPLACE "\ndecisions a second[ 0-9]+\n$" "\n" figures "${output}")
  if(figures STREQUAL output)
    message(FATAL_ERROR "no last line with the decisions a second:\n${output}")
  endif()
  if(NOT figures STREQUAL expected)
    message(FATAL_ERROR "expected:\n${expected}\nprinted:\n${figures}")
  endif()
endif()
