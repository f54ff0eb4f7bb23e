# cmake -DOUT=presets_table.c -P presets.cmake -- FILE.yaml…: the presets as a table of bytes, so that the
# command carries them along.

set(files)
set(after OFF)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
    if(after)
        list(APPEND files ${CMAKE_ARGV${i}})
    elseif(CMAKE_ARGV${i} STREQUAL "--")
        set(after ON)
    endif()
endforeach()

set(texts "")
set(rows "")
set(n 0)
foreach(file IN LISTS files)
    cmake_path(GET file STEM name)
    file(READ ${file} hex HEX)
    string(LENGTH "${hex}" length)
    math(EXPR length "${length} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND texts "static const unsigned char text_${n}[] = {${bytes}0};\n")
    string(APPEND rows "    {\"${name}\", text_${n}, ${length}},\n")
    math(EXPR n "${n} + 1")
endforeach()
file(WRITE ${OUT} "/* Made from tools/presets by tools/cmake/presets.cmake. */\n#include \"cli.h\"\n\n"
     "${texts}\nconst preset presets[] = {\n${rows}};\nconst int n_presets = ${n};\n")
