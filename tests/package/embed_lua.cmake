# Embeds scripts that would break a string literal and compares what the program has with the files;
# a changed file must be in it after the next build.
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)

file(WRITE ${WORK_DIR}/lua/tricky.lua "return '\\0\\n' -- \"??/ ]] )\" \\\r\n\t é; [x\n")
file(WRITE ${WORK_DIR}/lua/empty.lua "")
string(REPEAT "return 0; -- longer than any string literal may be\n" 3000 long)
file(WRITE ${WORK_DIR}/lua/long.lua "${long}")

macro(build_and_compare)
  run(${CMAKE_COMMAND} --build ${WORK_DIR}/build)
  foreach(name IN ITEMS tricky empty long)
    run(${WORK_DIR}/build/embedder ${name} ${WORK_DIR}/${name})
    string(STRIP "${OUTPUT}" told)
    file(SHA1 ${WORK_DIR}/lua/${name}.lua expected)
    file(SHA1 ${WORK_DIR}/${name} embedded)
    if(NOT embedded STREQUAL expected OR NOT told STREQUAL expected)
      message(FATAL_ERROR "${name}: the file is ${expected}, embedded ${embedded} as ${told}")
    endif()
  endforeach()
endmacro()

configure(${TEST_DIR}/embed_lua ${WORK_DIR}/build -DMODULES=${SOURCE_DIR}/cmake
          -DSOURCES=${SOURCE_DIR}/src -DSCRIPTS=${WORK_DIR}/lua)
build_and_compare()
file(APPEND ${WORK_DIR}/lua/empty.lua "return 1")
build_and_compare()
