# Builds and runs a program against an installation with nothing but pkg-config and the compiler.
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/pkg_config_consumer.cmake)

pkg_config_consumer(${SCRATCH_DIR}/install.${PREFIX}/prefix)
