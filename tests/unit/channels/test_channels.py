"""Annotations from a picture made by hand: boxes, masks, class map, normals, visible fractions."""

import io

import numpy as np
import pytest
import trimesh
from PIL import Image
from pycocotools import mask as coco_mask

from syn2real.channels import class_map, normals, objects
from syn2real.channels.base import Limits, RawView, Solid
from syn2real.channels.objects import bop_pose, silhouette_area

SIZE, FOCAL = 64, 100.0
INTRINSICS = np.array([[FOCAL, 0, (SIZE - 1) / 2], [0, FOCAL, (SIZE - 1) / 2], [0, 0, 1]])


def raw(index: np.ndarray) -> RawView:
    """A camera two metres above the floor that looks down, its x axis along the world's."""
    pose = np.eye(4)
    pose[2, 3] = 2.0
    normals = np.zeros((SIZE, SIZE, 3), np.float32)
    normals[..., 2] = 1
    return RawView(
        np.full((SIZE, SIZE, 3), 128, np.uint8), {"IndexOB": index, "Normal": normals}, pose, INTRINSICS, 4, 0
    )


def cube(side: float, centre: tuple[float, float, float], class_index: int = 0) -> Solid:
    mesh = trimesh.creation.box(extents=(side, side, side))
    mesh.apply_translation(centre)
    return Solid(class_index, np.asarray(mesh.vertices), np.asarray(mesh.faces), np.eye(4))


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_square_gets_its_box_mask_and_class():
    index = np.zeros((SIZE, SIZE), np.int32)
    index[10:20, 30:45] = 1
    index[15:18, 40:60] = 2
    solids = [cube(0.2, (0, 0, 0.1), 7), cube(0.2, (0.2, 0, 0.1), 3)]
    record = objects.decode(objects.render(raw(index), solids, Limits(24)))
    assert [item["class"] for item in record["objects"]] == [7, 3]
    first, second = record["objects"]
    assert first["bbox"] == [30, 10, 15, 10]
    assert second["bbox"] == [40, 15, 20, 3]
    assert second["area"] == 60
    np.testing.assert_array_equal(coco_mask.decode(first["segmentation"]), index == 1)
    np.testing.assert_array_equal(
        opened(class_map.render(raw(index), solids, Limits(24))), np.array([0, 8, 4])[index]
    )
    assert (record["scene"], record["view"], record["width"]) == (4, 0, SIZE)


@pytest.mark.parametrize(("classes", "mode"), [(254, "L"), (300, "I;16")])
def test_many_classes_take_sixteen_bits(classes, mode):
    index = np.ones((SIZE, SIZE), np.int32)
    content = class_map.render(raw(index), [cube(0.5, (0, 0, 0), classes - 1)], Limits(classes))
    with Image.open(io.BytesIO(content)) as image:
        assert image.mode == mode
        assert np.asarray(image).max() == classes


def test_normals_are_stored_in_the_cameras_axes():
    view = raw(np.zeros((SIZE, SIZE), np.int32))
    # Turn the camera by 90 degrees about x: it looks along the world's y, its z axis is the world's -y.
    view.camera_to_world[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    view.passes["Normal"][:, :32] = (0, -1, 0)
    view.passes["Normal"][:, 32:] = 0
    found, valid = normals.unpack(opened(normals.render(view, [], Limits(1))))
    assert valid[:, :32].all()
    assert not valid[:, 32:].any()
    np.testing.assert_allclose(found[:, :32].reshape(-1, 3).mean(axis=0), (0, 0, 1), atol=0.01)


def test_a_mean_of_two_surfaces_is_no_normal():
    view = raw(np.zeros((SIZE, SIZE), np.int32))
    view.passes["Normal"][:, :32] = (np.array([0, 0, 1]) + (0, 1, 0)) / 2
    valid = normals.unpack(opened(normals.render(view, [], Limits(1))))[1]
    assert not valid[:, :32].any()
    assert valid[:, 32:].all()


def test_a_silhouette_has_the_area_of_its_projection():
    # The top face is 1.8 m before the camera: 0.2 m are 0.2 / 1.8 * 100 pixels.
    expected = (0.2 / 1.8 * FOCAL) ** 2
    view = raw(np.zeros((SIZE, SIZE), np.int32))
    assert silhouette_area(view, cube(0.2, (0, 0, 0.1))) == pytest.approx(expected, rel=0.06)
    fine = trimesh.creation.icosphere(subdivisions=5, radius=0.2)
    ball = Solid(0, np.asarray(fine.vertices), np.asarray(fine.faces), np.eye(4))
    # A sphere is seen at the angle asin(r / d), 2 m away.
    radius = FOCAL * np.tan(np.arcsin(0.1))
    assert silhouette_area(view, ball) == pytest.approx(np.pi * radius**2, rel=0.06)


def test_a_pose_carries_the_model_to_its_pixels():
    """As a user of BOP's `scene_gt` projects: K (R x + t), x in millimetres."""
    turn = trimesh.transformations.rotation_matrix(0.7, (1, 2, 3))
    turn[:3, 3] = 0.1, -0.2, 0.3
    model = trimesh.creation.box(extents=(100, 60, 40))
    world = np.asarray(model.vertices) / 1000 @ turn[:3, :3].T + turn[:3, 3]
    solid = Solid(0, world, np.asarray(model.faces), turn)
    view = raw(np.zeros((SIZE, SIZE), np.int32))
    view.camera_to_world[:3, :3] = trimesh.transformations.rotation_matrix(0.4, (0, 0, 1))[:3, :3]
    pose = bop_pose(view, solid)
    rotation = np.array(pose["cam_R_m2c"]).reshape(3, 3)
    assert np.linalg.det(rotation) == pytest.approx(1, abs=1e-5)
    points = model.vertices @ rotation.T + pose["cam_t_m2c"]
    pixels = (points @ INTRINSICS.T)[:, :2] / points[:, 2:]
    seen = (world - view.camera_to_world[:3, 3]) @ view.camera_to_world[:3, :3]
    centre = (SIZE - 1) / 2
    expected = np.column_stack(
        [centre - FOCAL * seen[:, 0] / seen[:, 2], centre + FOCAL * seen[:, 1] / seen[:, 2]]
    )
    np.testing.assert_allclose(pixels, expected, atol=1e-3)
    assert (points[:, 2] > 0).all()


def test_what_the_border_cuts_off_counts_as_unseen():
    view = raw(np.zeros((SIZE, SIZE), np.int32))
    half = cube(0.2, (0.576, 0, 0.1))
    inside = cube(0.2, (0, 0, 0.1))
    assert silhouette_area(view, half) > 0.95 * silhouette_area(view, inside)


@pytest.mark.parametrize(("rows", "columns"), [(32, 96), (96, 32)])
def test_a_border_is_as_far_as_the_image_is_long_on_each_side(rows, columns):
    """Up to one width beyond the left and right border counts, and one height beyond the others."""
    matrix = np.array([[FOCAL, 0, 16], [0, FOCAL, 16], [0, 0, 1]])
    image = np.zeros((rows, columns, 3), np.uint8)
    view = RawView(image, {}, raw(np.zeros((SIZE, SIZE), np.int32)).camera_to_world, matrix)
    # Of a floor that never ends, three images' breadths and heights.
    area = silhouette_area(view, cube(40, (0, 0, -20)))
    assert area == pytest.approx(9 * rows * columns, rel=0.06)


def test_hardly_visible_objects_are_in_the_class_map_only():
    index = np.zeros((SIZE, SIZE), np.int32)
    index[5, 5:10] = 1
    solids = [cube(0.2, (0, 0, 0.1))]

    def seen(limits: Limits) -> int:
        return len(objects.decode(objects.render(raw(index), solids, limits))["objects"])

    assert seen(Limits(1)) == 0
    assert opened(class_map.render(raw(index), solids, Limits(1))).sum() == 5
    assert seen(Limits(1, min_visible_fraction=0.0)) == 1
    assert seen(Limits(1, min_visible_fraction=0.0, min_visible_pixels=6)) == 0
