# What `cmake --install` puts where: command (tools), library, headers, CMake package, ganc.pc.

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ganc)

install(TARGETS ganc EXPORT ganc-targets)
install(DIRECTORY include/ganc DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT ganc-targets NAMESPACE ganc:: DESTINATION ${package_dir})
configure_package_config_file(tools/cmake/ganc-config.cmake.in ${PROJECT_BINARY_DIR}/ganc-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ganc-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ganc-config.cmake ${PROJECT_BINARY_DIR}/ganc-config-version.cmake
              tools/cmake/FindCBLAS.cmake tools/cmake/FindDNNL.cmake
        DESTINATION ${package_dir})

# A static libganc needs its libraries named; those without a .pc of their own as the linker takes them.
set(GANC_PC_LIBS)
set(GANC_PC_PRIVATE .private)
if(NOT BUILD_SHARED_LIBS)
    set(GANC_PC_PRIVATE)
    list(APPEND GANC_PC_LIBS ${OpenMP_C_LIBRARIES} ${CBLAS_LIBRARY})
    list(FILTER GANC_PC_LIBS EXCLUDE REGEX "libpthread") # named below, and not only as an archive
    if(DNNL_FOUND)
        list(APPEND GANC_PC_LIBS ${DNNL_LIBRARY})
    endif()
    if(JPEG_FOUND)
        list(APPEND GANC_PC_LIBS ${JPEG_LIBRARIES})
    endif()
    if(GANC_CUDA_ENABLED)
        list(APPEND GANC_PC_LIBS -L${CUDAToolkit_LIBRARY_DIR} -lcudart_static -lstdc++ -ldl -lrt)
    endif()
    list(APPEND GANC_PC_LIBS -lpthread -lm)
    list(JOIN GANC_PC_LIBS " " GANC_PC_LIBS)
endif()
file(RELATIVE_PATH GANC_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(tools/cmake/ganc.pc.in ${PROJECT_BINARY_DIR}/ganc.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/ganc.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
