# pkg_config_consumer(<prefix>): builds and runs a program against this installation with what
# pkg-config says, without --static, which is right for either linkage.
macro(pkg_config_consumer prefix)
  set(pkg_config_dir ${prefix}/${LIBDIR}/pkgconfig)
  if(LINKAGE STREQUAL "static" AND REDIS)
    set(ENV{PKG_CONFIG_PATH} "${pkg_config_dir}:$ENV{PKG_CONFIG_PATH}")
  else()
    set(ENV{PKG_CONFIG_LIBDIR} ${pkg_config_dir}) # nothing else is to be asked for
    unset(ENV{PKG_CONFIG_PATH})
  endif()

  set(packages ratelimit ratelimit-core)
  set(definitions "")
  if(REDIS)
    list(APPEND packages ratelimit-redis)
    set(definitions -DCONSUMER_REDIS)
  endif()
  foreach(package IN LISTS packages)
    run(${PKG_CONFIG} --exact-version=${VERSION} ${package})
  endforeach()

  run(${PKG_CONFIG} --cflags --libs ratelimit)
  separate_arguments(flags UNIX_COMMAND "${OUTPUT}")
  run(${CXX} -std=c++17 ${definitions} ${CONSUMER_DIR}/main.cpp ${flags} -o ${WORK_DIR}/consumer)
  run(${CMAKE_COMMAND} -E env LD_LIBRARY_PATH=${prefix}/${LIBDIR} ${WORK_DIR}/consumer)

  if(REDIS) # core by itself: the linker must not be told of more
    run(${PKG_CONFIG} --libs ratelimit-core)
    if(OUTPUT MATCHES "redis|fmt")
      message(FATAL_ERROR "ratelimit-core links more than core: ${OUTPUT}")
    endif()
  endif()
endmacro()
