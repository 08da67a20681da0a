# Puts Lua scripts into a library as bytes, so that it needs no files at run time.
#
# ratelimit_embed_lua(<target> SCRIPTS <file.lua>...): generates, at build time, the source that
# defines ratelimit::redis::embedded_scripts() (declared in redis/script.hpp) and adds it to the
# target. Each script is known by its file's base name and comes with its SHA-1, the name by which a
# server knows it. Relative paths start from the project's lua folder. A changed script is embedded
# again by the next build.

set(RATELIMIT_EMBED_LUA_GENERATOR ${CMAKE_CURRENT_LIST_DIR}/EmbedLuaGenerate.cmake)

function(ratelimit_embed_lua target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SCRIPTS")
  set(scripts "")
  foreach(script IN LISTS arg_SCRIPTS)
    cmake_path(ABSOLUTE_PATH script BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/lua NORMALIZE)
    list(APPEND scripts ${script})
  endforeach()

  set(source ${CMAKE_CURRENT_BINARY_DIR}/${target}_scripts.cpp)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} "-DOUTPUT=${source}" "-DSCRIPTS=${scripts}" -P
            ${RATELIMIT_EMBED_LUA_GENERATOR}
    DEPENDS ${scripts} ${RATELIMIT_EMBED_LUA_GENERATOR}
    COMMENT "Embedding the Lua scripts of ${target}"
    VERBATIM)
  target_sources(${target} PRIVATE ${source})
endfunction()
