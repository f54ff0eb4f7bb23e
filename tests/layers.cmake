# cmake [-DROOT=DIR] -P layers.cmake: fails on an #include that the folder table does not allow, on a file
# too long to be about one idea, on a script's pipe whose reader may stop before its writer, on a kernel that
# does not begin with GPU_WAIT(), and on anything new at the top level.

cmake_minimum_required(VERSION 3.25)
if(NOT ROOT)
    cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH ROOT)
endif()

# folder | what it may include, besides itself and "ganc/…"
set(table
    "include|"
    "src/base|"
    "src/graph|base"
    "src/op|graph base"
    "src/device|graph base"
    "src/cpu|device graph base"
    "src/cuda|device graph base kernels/launch.h"
    "kernels|base/philox.h base/pointwise.def simt.h" # simt.h: tests/simt, in place of CUDA
    "src/nn|graph base"
    "src/model|nn graph base"
    "src/adversarial|nn graph base"
    "src/io|base"
    "src/data|io base"
    "src/metric|nn graph device io base"
    "src/train|metric data io adversarial model nn device op graph base"
    "tools|"
    "bench|")
set(top CMakeLists.txt CMakePresets.json LICENSE README.md bench build include kernels runs src tests tools)
set(longest 450)

set(failures "")
set(n_files 0)

# Whether `folder` may include `path`, written as in the directive.
function(allowed folder rule path out)
    set(${out} OFF PARENT_SCOPE)
    cmake_path(GET folder FILENAME own)
    if(path MATCHES "^ganc/" OR path MATCHES "^${own}/")
        set(${out} ON PARENT_SCOPE)
    elseif(NOT path MATCHES "/" AND EXISTS "${ROOT}/${folder}/${path}")
        set(${out} ON PARENT_SCOPE) # a neighbour
    else()
        foreach(name IN LISTS rule)
            if(path STREQUAL name OR (NOT name MATCHES "/" AND path MATCHES "^${name}/[^/]+$"))
                set(${out} ON PARENT_SCOPE)
            endif()
        endforeach()
    endif()
endfunction()

foreach(row IN LISTS table)
    string(REGEX MATCH "^([^|]*)\\|(.*)$" matched "${row}")
    set(folder "${CMAKE_MATCH_1}")
    string(REPLACE " " ";" rule "${CMAKE_MATCH_2}")
    file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/${folder}/*.c" "${ROOT}/${folder}/*.h"
         "${ROOT}/${folder}/*.def" "${ROOT}/${folder}/*.cu" "${ROOT}/${folder}/*.cuh"
         "${ROOT}/${folder}/*.cpp" "${ROOT}/${folder}/*.inc")
    foreach(file IN LISTS files)
        math(EXPR n_files "${n_files} + 1")
        # Brackets and semicolons would confuse CMake's lists; no include needs them.
        file(READ "${ROOT}/${file}" text)
        string(REGEX REPLACE "[][;\\]" " " text "${text}")
        string(REGEX REPLACE "\n" ";" lines "${text}")
        set(number 0)
        foreach(line IN LISTS lines)
            math(EXPR number "${number} + 1")
            if(line MATCHES "^[ \t]*#[ \t]*include[ \t]*\"([^\"]*)\"")
                set(path "${CMAKE_MATCH_1}")
                allowed("${folder}" "${rule}" "${path}" fine)
                if(NOT fine)
                    list(JOIN rule " " names)
                    list(APPEND failures
                         "${file}:${number}: \"${path}\" is not for ${folder}, which may include: ${names} ganc/")
                endif()
            endif()
        endforeach()
        math(EXPR number "${number} - 1")
        if(number GREATER longest)
            list(APPEND failures "${file}: ${number} lines, at most ${longest} allowed")
        endif()
    endforeach()
endforeach()

# Every folder of src has a row.
file(GLOB entries RELATIVE "${ROOT}" "${ROOT}/src/*")
foreach(entry IN LISTS entries)
    if(IS_DIRECTORY "${ROOT}/${entry}" AND NOT "${table}" MATCHES "(^|;)${entry}\\|")
        list(APPEND failures "${entry}: not in the folder table")
    endif()
endforeach()

file(GLOB entries RELATIVE "${ROOT}" "${ROOT}/*")
foreach(entry IN LISTS entries)
    if(NOT entry MATCHES "^\\." AND NOT entry IN_LIST top)
        list(APPEND failures "${entry}: the top level is fixed: ${top}")
    endif()
endforeach()

# A kernel that touches memory before it waits may do so while what is ahead of it runs (kernels/gpu.h).
file(GLOB files RELATIVE "${ROOT}" "${ROOT}/kernels/*.cu")
foreach(file IN LISTS files)
    file(READ "${ROOT}/${file}" text)
    string(REGEX REPLACE "[][\\]" " " text "${text}")
    string(REPLACE ";" "@" text "${text}")
    string(REGEX MATCHALL "__global__[^{]*{[^@}]*[@}]" kernels "${text}")
    foreach(kernel IN LISTS kernels)
        if(NOT kernel MATCHES "{[ \n]*GPU_WAIT\\(\\)@$" AND NOT kernel MATCHES "\\)[ \n]*{}$")
            string(REGEX MATCH "[a-z_]+kernel" name "${kernel}")
            list(APPEND failures "${file}: ${name} does not begin with GPU_WAIT()")
        endif()
    endforeach()
endforeach()

# What writes into a pipe that nobody reads any more is killed, now and then; with pipefail that is a failure.
file(GLOB scripts RELATIVE "${ROOT}" "${ROOT}/.ci/*" "${ROOT}/bench/*" "${ROOT}/tests/*" "${ROOT}/tools/*")
foreach(script IN LISTS scripts)
    if(IS_DIRECTORY "${ROOT}/${script}")
        continue()
    endif()
    file(READ "${ROOT}/${script}" text)
    if(text MATCHES "^#![^\n]*sh\n.*pipefail" AND text MATCHES "[^|]\\|[ \t\n]*(head|grep -[a-zA-Z]*[qm])[^\n]*")
        string(STRIP "${CMAKE_MATCH_0}" pipe)
        list(APPEND failures "${script}: \"${pipe}\" may stop reading before all is written")
    endif()
endforeach()

if(n_files EQUAL 0)
    list(APPEND failures "no files under ${ROOT}")
endif()
if(failures)
    list(JOIN failures "\n  " failures)
    message(FATAL_ERROR "layers:\n  ${failures}\n")
endif()
message(STATUS "layers: ${n_files} files keep to the table")
