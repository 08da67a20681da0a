# Finds hiredis, however it was installed, as one target: hiredis::hiredis.
#
# With the target, <hiredis/hiredis.h> and <hiredis/read.h> can be included. Sets Hiredis_FOUND and
# Hiredis_VERSION. This file is also installed beside the package config, for programs that link the
# static library.
#
# Where it looks, in this order:
#   - a target hiredis::hiredis that is there already, or comes from the config package `hiredis`
#     that hiredis 1.x installs;
#   - pkg-config, whose file may name the folder of the headers rather than the one above it;
#   - the system's usual folders.
# The config package `Hiredis` of Debian and Ubuntu is not asked: it has no target, looks in the
# usual folders only, and is an error wherever no version is asked for. The version is read from the
# header: the only thing that all installations have in common.

if(NOT TARGET hiredis::hiredis)
  find_package(hiredis QUIET CONFIG)
endif()

# Folders that hold the headers, or hold the folder that does.
set(_hiredis_target_includes "")
set(_hiredis_include_hints "")
set(_hiredis_elsewhere "")
if(TARGET hiredis::hiredis)
  get_target_property(_hiredis_target_includes hiredis::hiredis INTERFACE_INCLUDE_DIRECTORIES)
  string(REGEX REPLACE "\\$<(BUILD|INSTALL)_INTERFACE:([^>]*)>" "\\2" _hiredis_include_hints
                       "${_hiredis_target_includes}")
  set(_hiredis_elsewhere NO_DEFAULT_PATH) # another hiredis's headers would not fit this library
  if(NOT Hiredis_LIBRARY)
    set(Hiredis_LIBRARY hiredis::hiredis)
  endif()
else()
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(Hiredis_PC QUIET hiredis)
    set(_hiredis_include_hints ${Hiredis_PC_INCLUDE_DIRS} ${Hiredis_PC_INCLUDEDIR})
  endif()
  find_library(
    Hiredis_LIBRARY hiredis HINTS ${Hiredis_PC_LIBRARY_DIRS} ${Hiredis_PC_LIBDIR}
    DOC "The hiredis library")
endif()
list(TRANSFORM _hiredis_include_hints APPEND "/.." OUTPUT_VARIABLE _hiredis_include_parents)
list(TRANSFORM _hiredis_include_hints APPEND "/include" OUTPUT_VARIABLE _hiredis_include_children)

find_path(
  Hiredis_INCLUDE_DIR hiredis/hiredis.h
  HINTS ${_hiredis_include_hints} ${_hiredis_include_parents} ${_hiredis_include_children}
  DOC "The folder that holds hiredis/hiredis.h" ${_hiredis_elsewhere})
mark_as_advanced(Hiredis_INCLUDE_DIR Hiredis_LIBRARY hiredis_DIR)

unset(Hiredis_VERSION)
if(Hiredis_INCLUDE_DIR)
  file(STRINGS ${Hiredis_INCLUDE_DIR}/hiredis/hiredis.h Hiredis_VERSION
       REGEX "^#define HIREDIS_(MAJOR|MINOR|PATCH) +[0-9]+")
  list(TRANSFORM Hiredis_VERSION REPLACE ".* ([0-9]+).*" "\\1")
  list(JOIN Hiredis_VERSION "." Hiredis_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  Hiredis
  REQUIRED_VARS Hiredis_LIBRARY Hiredis_INCLUDE_DIR
  VERSION_VAR Hiredis_VERSION
  REASON_FAILURE_MESSAGE
    "install it (Debian and Ubuntu: libhiredis-dev) or put its prefix into CMAKE_PREFIX_PATH")

if(Hiredis_FOUND)
  if(NOT TARGET hiredis::hiredis)
    add_library(hiredis::hiredis UNKNOWN IMPORTED)
    set_target_properties(hiredis::hiredis PROPERTIES IMPORTED_LOCATION ${Hiredis_LIBRARY})
  endif()
  # Some installations name another folder than the one that makes <hiredis/...> work.
  get_target_property(_hiredis_target hiredis::hiredis ALIASED_TARGET)
  if(NOT _hiredis_target)
    set(_hiredis_target hiredis::hiredis)
  endif()
  if(NOT Hiredis_INCLUDE_DIR IN_LIST _hiredis_include_hints)
    set_property(
      TARGET ${_hiredis_target} APPEND PROPERTY INTERFACE_INCLUDE_DIRECTORIES
                                                $<BUILD_INTERFACE:${Hiredis_INCLUDE_DIR}>)
  endif()
endif()

unset(_hiredis_target)
unset(_hiredis_target_includes)
unset(_hiredis_include_hints)
unset(_hiredis_include_parents)
unset(_hiredis_include_children)
unset(_hiredis_elsewhere)
