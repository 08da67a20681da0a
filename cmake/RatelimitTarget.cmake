# What every target of this project has in common. Flags go on targets, never on the directory.

# ratelimit_target(<target>): C++20, strict, all warnings; errors where RATELIMIT_WERROR is on.
function(ratelimit_target target)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_features(${target} PRIVATE cxx_std_20)
  # Fields that a designated initialiser leaves out have defaults; g++ warns all the same.
  target_compile_options(
    ${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow
                      -Wno-missing-field-initializers
                      $<$<BOOL:${RATELIMIT_WERROR}>:-Werror>)
endfunction()

# ratelimit_objects(<target> <source>...): what a library is made of and does not export, as objects that
# another one, or a test, can take too.
function(ratelimit_objects target)
  add_library(${target} OBJECT ${ARGN})
  ratelimit_target(${target})
  set_target_properties(
    ${target} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
                         VISIBILITY_INLINES_HIDDEN ON)
  target_include_directories(
    ${target} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
endfunction()

# ratelimit_library(<target> COMPONENT <name> SOURCES <file>...): a library of the package, known to users
# as ratelimit::<name>, installed as libratelimit_<name>.
function(ratelimit_library target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "COMPONENT" "SOURCES")
  add_library(${target} ${arg_SOURCES})
  add_library(ratelimit::${arg_COMPONENT} ALIAS ${target})
  ratelimit_target(${target})
  target_compile_features(${target} PUBLIC cxx_std_17) # what the public headers need
  set_target_properties(
    ${target}
    PROPERTIES OUTPUT_NAME ratelimit_${arg_COMPONENT}
               EXPORT_NAME ${arg_COMPONENT}
               VERSION ${PROJECT_VERSION}
               SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
               POSITION_INDEPENDENT_CODE ON
               CXX_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON)
  target_include_directories(
    ${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "SHARED_LIBRARY" AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
    set(exports ${PROJECT_SOURCE_DIR}/cmake/exports.map)
    target_link_options(${target} PRIVATE LINKER:--version-script=${exports})
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${exports})
  endif()
endfunction()
