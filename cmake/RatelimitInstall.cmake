# Installs the headers, the libraries that were built, the CMake package and the pkg-config files.
# The installed tree can be moved: no file in it names the prefix.
#
# The CMake package has one export set for each component, so that a program that uses only core
# needs nothing of what redis needs. ratelimit::ratelimit, all that was found, is made by the
# package config.
include(CMakePackageConfigHelpers)

set(RATELIMIT_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/ratelimit)
set(RATELIMIT_GENERATED_DIR ${PROJECT_BINARY_DIR}/package)

# ratelimit_install_component(<name>): the library of a component and its export set.
function(ratelimit_install_component component)
  set(target ratelimit_${component})
  # Where the libraries are in no folder that the loader knows, they still find each other.
  set_property(TARGET ${target} APPEND PROPERTY INSTALL_RPATH "$ORIGIN")
  install(
    TARGETS ${target}
    EXPORT ratelimit-${component}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(
    EXPORT ratelimit-${component}
    NAMESPACE ratelimit::
    FILE ratelimit-${component}-targets.cmake
    DESTINATION ${RATELIMIT_CMAKE_DIR})
endfunction()

# ratelimit_install_pkg_config(<name> DESCRIPTION <text> [LIBS <flag>...] [REQUIRES <package>...]):
# the file <name>.pc.
function(ratelimit_install_pkg_config name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION" "LIBS;REQUIRES")
  set(libs "")
  if(arg_LIBS)
    list(JOIN arg_LIBS " " libs)
    string(STRIP "Libs: -L\${libdir} ${libs}" libs)
    string(APPEND libs "\n")
  endif()
  set(requires "")
  if(arg_REQUIRES)
    list(JOIN arg_REQUIRES ", " requires)
    set(requires "Requires: ${requires}\n")
  endif()
  set(file ${RATELIMIT_GENERATED_DIR}/${name}.pc)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/ratelimit.pc.in ${file} @ONLY)
  install(FILES ${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# redis.hpp is installed in any case: it is only declarations, and ratelimit.hpp includes it.
install(
  DIRECTORY include/ratelimit
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING
  PATTERN "*.hpp")

set(ratelimit_components core)
if(RATELIMIT_REDIS)
  list(APPEND ratelimit_components redis)
endif()
foreach(component IN LISTS ratelimit_components)
  ratelimit_install_component(${component})
endforeach()

# A shared library brings what it links; whoever links a static one has to.
get_target_property(ratelimit_library_type ratelimit_core TYPE)
if(ratelimit_library_type STREQUAL "STATIC_LIBRARY")
  set(ratelimit_is_static TRUE)
else()
  set(ratelimit_is_static FALSE)
endif()

# The CMake package.
configure_package_config_file(
  cmake/ratelimitConfig.cmake.in ${RATELIMIT_GENERATED_DIR}/ratelimitConfig.cmake
  INSTALL_DESTINATION ${RATELIMIT_CMAKE_DIR}
  NO_SET_AND_CHECK_MACRO)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(ratelimit_compatibility SameMinorVersion)
else()
  set(ratelimit_compatibility SameMajorVersion)
endif()
write_basic_package_version_file(
  ${RATELIMIT_GENERATED_DIR}/ratelimitConfigVersion.cmake COMPATIBILITY ${ratelimit_compatibility})
install(FILES ${RATELIMIT_GENERATED_DIR}/ratelimitConfig.cmake
              ${RATELIMIT_GENERATED_DIR}/ratelimitConfigVersion.cmake
        DESTINATION ${RATELIMIT_CMAKE_DIR})
if(RATELIMIT_REDIS AND ratelimit_is_static)
  install(FILES cmake/FindHiredis.cmake DESTINATION ${RATELIMIT_CMAKE_DIR})
endif()

# The pkg-config files.
cmake_path(SET ratelimit_libdir ${CMAKE_INSTALL_FULL_LIBDIR})
cmake_path(
  RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${ratelimit_libdir}/pkgconfig
  OUTPUT_VARIABLE ratelimit_pc_prefix)
cmake_path(APPEND ratelimit_pc_libdir "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
cmake_path(APPEND ratelimit_pc_includedir "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})

find_package(Threads REQUIRED)
ratelimit_install_pkg_config(
  ratelimit-core
  DESCRIPTION "Exact rate limiting in memory"
  LIBS -lratelimit_core ${CMAKE_THREAD_LIBS_INIT})
if(RATELIMIT_REDIS)
  set(ratelimit_redis_requires "ratelimit-core = ${PROJECT_VERSION}")
  if(ratelimit_is_static)
    list(APPEND ratelimit_redis_requires hiredis fmt)
    if(RATELIMIT_TLS)
      list(APPEND ratelimit_redis_requires openssl)
    endif()
  endif()
  ratelimit_install_pkg_config(
    ratelimit-redis
    DESCRIPTION "Exact rate limiting on Redis"
    LIBS -lratelimit_redis
    REQUIRES ${ratelimit_redis_requires})
endif()
list(TRANSFORM ratelimit_components REPLACE "(.+)" "ratelimit-\\1 = ${PROJECT_VERSION}"
                                            OUTPUT_VARIABLE ratelimit_requires)
ratelimit_install_pkg_config(
  ratelimit
  DESCRIPTION "${PROJECT_DESCRIPTION}"
  REQUIRES ${ratelimit_requires})
