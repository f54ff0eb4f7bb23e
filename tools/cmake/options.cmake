# ganc_options: how every file of the project is compiled.

add_library(ganc_options INTERFACE)
target_compile_definitions(ganc_options INTERFACE _POSIX_C_SOURCE=200809L)
target_compile_options(ganc_options INTERFACE
    # Rounding is part of the result: the same bits whatever the compiler. src/cpu/simd_product.c opts out.
    $<$<COMPILE_LANGUAGE:C,CXX>:-ffp-contract=off>
    $<$<COMPILE_LANGUAGE:C,CXX>:-Wall;-Wextra;-Wconversion;-Wshadow>
    $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>)
if(GANC_WERROR)
    target_compile_options(ganc_options INTERFACE
        $<$<COMPILE_LANGUAGE:C,CXX>:-Werror> "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Werror all-warnings>")
endif()

if(GANC_SANITIZE)
    # Everything, imported code too, has to agree on the sanitizer's runtime.
    add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=${GANC_SANITIZE}>
                        $<$<COMPILE_LANGUAGE:C,CXX>:-fno-sanitize-recover=all>
                        $<$<COMPILE_LANGUAGE:C,CXX>:-fno-omit-frame-pointer>)
    add_link_options(-fsanitize=${GANC_SANITIZE})
endif()
if(GANC_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "GANC_FUZZ needs clang; the compiler is ${CMAKE_C_COMPILER}")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
