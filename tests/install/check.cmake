# cmake -DBUILD=… -DWORK=… -DCC=… -DFLAGS=… -DVERSION=… -DLIBDIR=… -DGENERATOR=… -P check.cmake: installs
# the build into a folder of its own, then builds and runs an outside program against it, once through the
# CMake package and once through pkg-config.

cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE "${WORK}")
set(prefix "${WORK}/prefix")

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "${command}\nfailed (${result}):\n${output}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

function(run_outside program)
    run(${CMAKE_COMMAND} -E env "LD_LIBRARY_PATH=${prefix}/${LIBDIR}:$ENV{LD_LIBRARY_PATH}" ${program})
    if(NOT output MATCHES "^ganc ${VERSION}: 6 elements\n$")
        message(FATAL_ERROR "${program} said: ${output}")
    endif()
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
foreach(file IN ITEMS bin/ganc include/ganc/ganc.h include/ganc/graph.h ${LIBDIR}/pkgconfig/ganc.pc
                      ${LIBDIR}/cmake/ganc/ganc-config.cmake)
    if(NOT EXISTS "${prefix}/${file}")
        message(FATAL_ERROR "${file} was not installed")
    endif()
endforeach()
run(${prefix}/bin/ganc --version)

run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/outside -B ${WORK}/build -G ${GENERATOR}
    -DCMAKE_C_COMPILER=${CC}
    "-DCMAKE_C_FLAGS=${FLAGS}" -DCMAKE_PREFIX_PATH=${prefix} -DGANC_EXPECTED=${VERSION})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run_outside(${WORK}/build/outside)

set(ENV{PKG_CONFIG_PATH} "${prefix}/${LIBDIR}/pkgconfig:$ENV{PKG_CONFIG_PATH}")
run(pkg-config --cflags --libs "ganc = ${VERSION}")
separate_arguments(flags UNIX_COMMAND "${FLAGS} ${output}")
run(${CC} ${CMAKE_CURRENT_LIST_DIR}/outside/outside.c -o ${WORK}/outside ${flags})
run_outside(${WORK}/outside)
