# cmake -DWORK=DIR -P layers_bite.cmake: layers.cmake must fail on each planted violation, and say which.

cmake_minimum_required(VERSION 3.25)

# Checks a tree of one sound file and `file` with `text`; expects `words` in the complaint, or none.
function(check name file text words)
    set(root "${WORK}/${name}")
    file(REMOVE_RECURSE "${root}")
    file(WRITE "${root}/src/base/error.c" "#include <stdio.h>\n#include \"base/error.h\"\n")
    file(WRITE "${root}/${file}" "${text}")
    execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${root} -P ${CMAKE_CURRENT_LIST_DIR}/layers.cmake
                    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    string(REGEX REPLACE "[ \n]+" " " output "${output}")
    if(words STREQUAL "")
        if(NOT result EQUAL 0)
            message(SEND_ERROR "${name}: refused, but is allowed:\n${output}")
        endif()
    elseif(result EQUAL 0)
        message(SEND_ERROR "${name}: not noticed")
    else()
        string(FIND "${output}" "${words}" at)
        if(at EQUAL -1)
            message(SEND_ERROR "${name}: expected \"${words}\" in:\n${output}")
        endif()
    endif()
endfunction()

string(REPEAT "int x;\n" 451 long)
check(down src/graph/a.c "#include \"base/error.h\"\n#include \"ganc/graph.h\"\n" "")
check(up src/graph/a.c "int a[2]; /* ; */\n#  include  \"device/backend.h\"\n"
      "src/graph/a.c:2: \"device/backend.h\" is not for src/graph, which may include: base ganc/")
check(sideways src/cpu/a.c "#include \"cuda/stream.h\"\n" "src/cpu/a.c:1: \"cuda/stream.h\"")
check(dots src/io/a.h "#include \"../graph/op.h\"\n" "src/io/a.h:1: \"../graph/op.h\"")
check(deeper src/cuda/a.c "#include \"kernels/common.cuh\"\n" "src/cuda/a.c:1: \"kernels/common.cuh\"")
check(launch src/cuda/a.c "#include \"kernels/launch.h\"\n" "")
check(kernel kernels/a.cu "#include \"base/philox.h\"\n#include \"base/error.h\"\n"
      "kernels/a.cu:2: \"base/error.h\"")
check(tool tools/a.c "#include \"train/config.h\"\n" "tools/a.c:1: \"train/config.h\"")
check(long src/op/a.c "${long}" "src/op/a.c: 451 lines, at most 450 allowed")
check(folder src/misc/a.c "int x;\n" "src/misc: not in the folder table")
check(top utils/a.c "int x;\n" "utils: the top level is fixed")
check(waits kernels/a.cu "__global__ void __launch_bounds__(B, 2)\n    a_kernel(const A a) {\n    GPU_WAIT();\n    f(a);\n}\n" "")
check(nothing kernels/a.cu "__global__ void a_kernel() {}\n" "")
check(late kernels/a.cu
      "__global__ void a_kernel(int *y) {\n    GPU_WAIT();\n}\n__global__ void b_kernel(int *y) {\n    f(y);\n    GPU_WAIT();\n}\n"
      "kernels/a.cu: b_kernel does not begin with GPU_WAIT()")
check(pipe tools/a "#!/bin/bash\nset -o pipefail\nfind . | head -n 1\n"
      "tools/a: \"| head -n 1\" may stop reading")
check(quiet tools/a "#!/bin/bash\nset -uo pipefail\nps | grep -qx sh\n" "tools/a: \"| grep -qx sh\" may stop")
check(whole tools/a "#!/bin/bash\nset -o pipefail\nps | grep -c sh || grep -q a b\nhead -n 1 a\n" "")
