from setuptools import setup

setup(cffi_modules=["native/cffi/build.py:ffi"])
