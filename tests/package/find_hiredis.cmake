# Finds, by every way that FindHiredis knows, a hiredis that this script lays out: each way must
# give a target with which a program compiles, links and runs.
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)

# lay_out(<prefix> <minor version>): headers and a library.
function(lay_out prefix minor)
  file(WRITE ${prefix}/include/hiredis/hiredis.h
       "#define HIREDIS_MAJOR 7\n#define HIREDIS_MINOR ${minor}\n#define HIREDIS_PATCH 5\n"
       "extern \"C\" int laid_out(void);\n")
  file(WRITE ${prefix}/include/hiredis/read.h "")
  file(WRITE ${prefix}/hiredis.cpp
       "#include \"include/hiredis/hiredis.h\"\nint laid_out(void) { return HIREDIS_MINOR; }\n")
  file(MAKE_DIRECTORY ${prefix}/lib)
  run(${CXX} -shared -fPIC ${prefix}/hiredis.cpp -o ${prefix}/lib/libhiredis.so)
  # Like Debian's, it cannot be asked for without a version.
  file(WRITE ${prefix}/lib/cmake/Hiredis/HiredisConfig.cmake "message(FATAL_ERROR asked)")
endfunction()

# expect(<minor version> <option>...): a program finds this one.
function(expect minor)
  configure(${TEST_DIR}/find_hiredis ${WORK_DIR}/build --fresh -DMODULES=${SOURCE_DIR}/cmake
            -DEXPECTED=7.${minor}.5 ${ARGN})
  run(${CMAKE_COMMAND} --build ${WORK_DIR}/build --clean-first)
  run(${WORK_DIR}/build/finder)
endfunction()

# A config package goes before the others, and this machine may have one; so does CMAKE_PREFIX_PATH.
set(no_config -DCMAKE_DISABLE_FIND_PACKAGE_hiredis=ON -DCMAKE_PREFIX_PATH=)

lay_out(${WORK_DIR}/plain 1)
expect(1 ${no_config} -DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON
       -DCMAKE_PREFIX_PATH=${WORK_DIR}/plain)

lay_out(${WORK_DIR}/pkg_config 2)
file(WRITE ${WORK_DIR}/pkg_config/hiredis.pc
     "Name: hiredis\nDescription: laid out\nVersion: 7.2.5\n"
     "Libs: -L${WORK_DIR}/pkg_config/lib -lhiredis\n"
     "Cflags: -I${WORK_DIR}/pkg_config/include/hiredis\n")
set(ENV{PKG_CONFIG_PATH} ${WORK_DIR}/pkg_config)
expect(2 ${no_config})

# The folder that a config package names need not be the one that makes <hiredis/...> work.
foreach(folder IN ITEMS include include/hiredis .)
  set(prefix ${WORK_DIR}/config)
  lay_out(${prefix} 3)
  file(WRITE ${prefix}/lib/cmake/hiredis/hiredis-config.cmake
       "add_library(hiredis::hiredis SHARED IMPORTED)\n"
       "set_target_properties(hiredis::hiredis PROPERTIES\n"
       "  IMPORTED_LOCATION ${prefix}/lib/libhiredis.so\n"
       "  INTERFACE_INCLUDE_DIRECTORIES ${prefix}/${folder})\n")
  expect(3 -Dhiredis_ROOT=${prefix})
endforeach()

fails(${CONFIGURE} -S ${TEST_DIR}/find_hiredis -B ${WORK_DIR}/build --fresh ${no_config}
      -DMODULES=${SOURCE_DIR}/cmake -DCMAKE_FIND_ROOT_PATH=${WORK_DIR}/nowhere
      -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY)
if(NOT OUTPUT MATCHES "Could NOT find Hiredis")
  message(FATAL_ERROR "Expected to be told that hiredis is missing:\n${OUTPUT}")
endif()
