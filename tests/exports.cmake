# cmake -DNM=nm -DLIBRARY=libganc.so -P exports.cmake: every symbol that the library defines begins with
# gan_, and the public functions are among them.

cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY}
                OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^ \n]+\n" symbols "${output}")
list(TRANSFORM symbols STRIP)
set(strangers ${symbols})
# clang's OpenMP names the lock of its reductions so, whatever the visibility.
list(FILTER strangers EXCLUDE REGEX "^(gan_|[.]gomp_critical_user_)")
if(strangers)
    message(FATAL_ERROR "exported, but not gan_…: ${strangers}")
endif()
foreach(symbol IN ITEMS gan_version gan_graph_create gan_compile gan_trainer_open)
    if(NOT symbol IN_LIST symbols)
        message(FATAL_ERROR "${symbol} is not exported")
    endif()
endforeach()
