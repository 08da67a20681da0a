# Writes the C++ source OUTPUT that holds the Lua files SCRIPTS. Run by EmbedLua.cmake with cmake
# -P.
#
# Bytes are written one by one, as character constants: nothing in a script can end the literal, and
# no compiler's limit on the length of a string applies.
cmake_minimum_required(VERSION 3.25)

set(arrays "")
set(entries "")
set(names "")
foreach(script IN LISTS SCRIPTS)
  cmake_path(GET script STEM LAST_ONLY name)
  if(name IN_LIST names)
    message(FATAL_ERROR "Two Lua scripts are named ${name}; the name must tell them apart.")
  endif()
  list(LENGTH names index)
  list(APPEND names ${name})

  file(READ ${script} bytes HEX)
  file(SHA1 ${script} sha1)
  string(LENGTH "${bytes}" size)
  math(EXPR size "${size} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  string(REPEAT "'.x..'," 12 line)
  string(REGEX REPLACE "(${line})" "\\1\n    " bytes "${bytes}")

  string(APPEND arrays "constexpr std::array<char, ${size}> kSource${index} = {\n"
                       "    ${bytes}};\n\n")
  string(APPEND entries "    {\"${name}\", {kSource${index}.data(), kSource${index}.size()},\n"
                        "     \"${sha1}\"},\n")
endforeach()
list(LENGTH names count)

file(
  WRITE ${OUTPUT}
  "// Generated from the project's Lua scripts; do not edit.
#include <array>
#include <span>
#include <string_view>

#include \"redis/script.hpp\"

namespace ratelimit::redis {
namespace {

${arrays}constexpr std::array<Script, ${count}> kScripts = {{
${entries}}};

}  // namespace

std::span<const Script> embedded_scripts() { return kScripts; }

}  // namespace ratelimit::redis
")
