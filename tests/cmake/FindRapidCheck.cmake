# Finds RapidCheck (Debian: librapidcheck-dev) by either route to one target, RapidCheck::RapidCheck:
# the CMake config that some builds install, else the header and the library.
include(FindPackageHandleStandardArgs)

find_package(rapidcheck CONFIG QUIET)
if(TARGET rapidcheck)
  set(RapidCheck_LINK rapidcheck)
else()
  find_path(RapidCheck_INCLUDE_DIR rapidcheck.h)
  find_library(RapidCheck_LIBRARY rapidcheck)
  mark_as_advanced(RapidCheck_INCLUDE_DIR RapidCheck_LIBRARY)
  if(RapidCheck_INCLUDE_DIR AND RapidCheck_LIBRARY)
    set(RapidCheck_LINK ${RapidCheck_LIBRARY})
  endif()
endif()
find_package_handle_standard_args(
  RapidCheck
  REQUIRED_VARS RapidCheck_LINK
  REASON_FAILURE_MESSAGE "install RapidCheck (Debian: librapidcheck-dev)")

if(RapidCheck_FOUND AND NOT TARGET RapidCheck::RapidCheck)
  add_library(RapidCheck::RapidCheck INTERFACE IMPORTED)
  target_link_libraries(RapidCheck::RapidCheck INTERFACE ${RapidCheck_LINK})
  if(RapidCheck_INCLUDE_DIR)
    target_include_directories(RapidCheck::RapidCheck INTERFACE ${RapidCheck_INCLUDE_DIR})
  endif()
endif()
