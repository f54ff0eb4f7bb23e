# CUDNN::cudnn and CUDNN_VERSION. Looks beside the CUDA toolkit, then where the system keeps libraries.
# CUDNN_ROOT points elsewhere.

find_path(CUDNN_INCLUDE_DIR cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
find_library(CUDNN_LIBRARY cudnn
             HINTS ${CUDAToolkit_LIBRARY_DIR} ${CUDAToolkit_LIBRARY_ROOT} ${CUDAToolkit_TARGET_DIR}
             PATH_SUFFIXES lib lib64)

if(CUDNN_INCLUDE_DIR)
    set(header ${CUDNN_INCLUDE_DIR}/cudnn_version.h)
    if(EXISTS ${header})
        set(parts)
        foreach(part IN ITEMS MAJOR MINOR PATCHLEVEL)
            file(STRINGS ${header} line REGEX "#define CUDNN_${part} +[0-9]+" LIMIT_COUNT 1)
            string(REGEX MATCH "[0-9]+" number "${line}")
            list(APPEND parts ${number})
        endforeach()
        list(JOIN parts . CUDNN_VERSION)
    endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CUDNN
    REQUIRED_VARS CUDNN_LIBRARY CUDNN_INCLUDE_DIR VERSION_VAR CUDNN_VERSION)
if(CUDNN_FOUND AND NOT TARGET CUDNN::cudnn)
    add_library(CUDNN::cudnn UNKNOWN IMPORTED)
    set_target_properties(CUDNN::cudnn PROPERTIES
        IMPORTED_LOCATION ${CUDNN_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${CUDNN_INCLUDE_DIR})
endif()
mark_as_advanced(CUDNN_INCLUDE_DIR CUDNN_LIBRARY)
